/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.servers;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The server programs to test against beside the local one: those of {@code LMCACHE4J_TEST_SERVERS}
 * (separated as in {@code PATH}), and with {@code -Pservers} those that {@code
 * tests/servers/fetch.sh} fetches.
 */
public final class FetchedServers {

  private static final String VARIABLE = "LMCACHE4J_TEST_SERVERS";

  /** Set by the Maven profile. */
  private static final String PROPERTY = "lmcache4j.servers";

  private static final Path SCRIPT = Path.of("servers", "fetch.sh");

  private FetchedServers() {}

  public static List<Path> programs() {
    List<Path> programs = new ArrayList<>(split(System.getenv().getOrDefault(VARIABLE, "")));
    if (System.getProperty(PROPERTY, "").equals("fetch")) {
      programs.addAll(split(fetch()));
    }
    return programs;
  }

  private static List<Path> split(String programs) {
    List<Path> split = new ArrayList<>();
    for (String program : programs.split(File.pathSeparator, -1)) {
      if (!program.isEmpty()) {
        split.add(Path.of(program));
      }
    }
    return split;
  }

  /** Run where Maven runs tests, in the directory of this module. */
  private static String fetch() {
    try {
      Process script =
          new ProcessBuilder("bash", SCRIPT.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      script.getOutputStream().close();
      String said =
          new String(script.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (script.waitFor() != 0) {
        throw new IllegalStateException("tests/" + SCRIPT + " failed; it said why");
      }
      return said;
    } catch (IOException e) {
      throw new UncheckedIOException("tests/" + SCRIPT + " needs bash", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
