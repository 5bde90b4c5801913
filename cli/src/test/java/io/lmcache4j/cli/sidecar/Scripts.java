/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Runs the scripts of {@code deploy/}. */
public final class Scripts {

  private static final Pattern SECTION = Pattern.compile("==> (?:.*/)?([^/\n]*) <==");
  private static final int MINUTES = 2;

  private Scripts() {}

  /** Returns the folder of the scripts. */
  public static Path folder() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("deploy/up"))) {
      folder = folder.getParent();
      if (folder == null) {
        throw new IllegalStateException("no deploy/up above " + Path.of("").toAbsolutePath());
      }
    }
    return folder.resolve("deploy");
  }

  /** What a script said, and how it ended. */
  public record Said(int exitCode, String out, String err) {}

  /** Runs one by {@code sh}, with variables beside those of the process. */
  public static Said run(Map<String, String> environment, String script, String... args) {
    List<String> command = new ArrayList<>(List.of("sh", folder().resolve(script).toString()));
    command.addAll(List.of(args));
    return run(environment, command);
  }

  /** Runs any command. */
  public static Said run(Map<String, String> environment, List<String> command) {
    try {
      Path out = Files.createTempFile("lmcache4j-script-", ".out");
      Path err = Files.createTempFile("lmcache4j-script-", ".err");
      try {
        ProcessBuilder builder =
            new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        // Those of whoever runs the tests are nobody's secret here.
        List.of("HF_TOKEN", "VLLM_API_KEY", "REDIS_PASSWORD")
            .forEach(builder.environment()::remove);
        builder.environment().putAll(environment);
        Process process = builder.start();
        if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
          process.destroyForcibly();
          throw new IllegalStateException(command + " did not end");
        }
        return new Said(process.exitValue(), Files.readString(out), Files.readString(err));
      } finally {
        Files.deleteIfExists(out);
        Files.deleteIfExists(err);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The files that a dry run shows, by their names without folders. */
  public static Map<String, String> sections(String out) {
    Map<String, String> sections = new LinkedHashMap<>();
    String name = "";
    for (String line : out.split("\n", -1)) {
      Matcher section = SECTION.matcher(line);
      if (section.matches()) {
        name = section.group(1);
        sections.put(name, "");
      } else {
        sections.merge(name, line + "\n", String::concat);
      }
    }
    return sections;
  }

  /** Makes a program of that name that does what a shell script says. */
  public static Path program(Path folder, String name, String script) throws IOException {
    Path program = folder.resolve(name);
    Files.write(program, ("#!/bin/sh\n" + script + "\n").getBytes(StandardCharsets.UTF_8));
    if (!program.toFile().setExecutable(true)) {
      throw new IOException(program + " cannot be made executable");
    }
    return program;
  }
}
