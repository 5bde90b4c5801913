/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Where the Python side is: the repository's scripts, and the environment that {@code setup.sh}
 * makes outside of it, once for a set of pins.
 *
 * @param repository the root of this repository
 * @param python the environment's interpreter
 */
public record PythonEnvironment(Path repository, Path python) {

  private static @Nullable PythonEnvironment made;

  /** Why it could not be made: asked again, the script may take as long to say the same. */
  private static @Nullable String failure;

  /** A first setup downloads 2 GB. */
  private static final int SETUP_MINUTES = 20;

  /**
   * Makes the environment, or finds it made; once in a run.
   *
   * @throws IllegalStateException if it can't be made; the message is what the script said
   */
  static synchronized PythonEnvironment get() {
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
    if (made == null) {
      try {
        made = setUp();
      } catch (IllegalStateException e) {
        failure = e.getMessage();
        throw e;
      }
    }
    return made;
  }

  private static PythonEnvironment setUp() {
    Path repository = findRepository();
    List<String> said = new ArrayList<>();
    String last = "";
    try {
      File answer = File.createTempFile("lmcache4j-setup-", ".txt");
      Process setup =
          new ProcessBuilder("bash", repository.resolve("tests/python/setup.sh").toString())
              .redirectOutput(answer)
              .start();
      try (BufferedReader log = setup.errorReader(StandardCharsets.UTF_8)) {
        for (String line = log.readLine(); line != null; line = log.readLine()) {
          System.err.println(line);
          said.add(line);
        }
      }
      boolean done = setup.waitFor(SETUP_MINUTES, TimeUnit.MINUTES) && setup.exitValue() == 0;
      setup.destroyForcibly();
      List<String> lines = Files.readAllLines(answer.toPath(), StandardCharsets.UTF_8);
      Files.delete(answer.toPath());
      last = lines.isEmpty() ? "" : lines.get(lines.size() - 1);
      if (!done || !Files.isExecutable(Path.of(last))) {
        throw new IllegalStateException(
            "tests/python/setup.sh could not make the Python environment:\n"
                + String.join("\n", said));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("tests/python/setup.sh needs bash", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
    return new PythonEnvironment(repository, Path.of(last));
  }

  /** The directory above the working directory, or that itself, that holds the Python scripts. */
  public static Path findRepository() {
    Path start = Path.of("").toAbsolutePath();
    for (Path at = start; at != null; at = at.getParent()) {
      if (Files.exists(at.resolve("tests/python/peer.py"))) {
        return at;
      }
    }
    throw new IllegalStateException("no tests/python/peer.py in " + start + " or above");
  }

  Path peer() {
    return repository.resolve("tests/python/peer.py");
  }

  /** Why a release was not unpacked, if it was not. */
  Optional<String> missing(Release release) {
    Path why = python.resolveSibling("../../old/" + release + ".missing").normalize();
    if (!Files.exists(why)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Files.readString(why).strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
