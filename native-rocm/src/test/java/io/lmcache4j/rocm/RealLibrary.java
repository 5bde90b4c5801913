/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/**
 * AMD's own runtime and headers, which {@code tests/native/fetch-hip.sh} unpacks into a cache
 * outside the repository. Where they cannot be had the tests say so and are left out; with {@code
 * CI} set they fail.
 */
final class RealLibrary {

  private static final Path NATIVE =
      Path.of(System.getProperty("basedir", ".")).toAbsolutePath().resolveSibling("tests/native");

  private RealLibrary() {}

  /** The directory below which the packages are unpacked. */
  static Path root() throws IOException, InterruptedException {
    Ended fetched = run(Map.of(), List.of("bash", NATIVE.resolve("fetch-hip.sh").toString()));
    if (fetched.status != 0) {
      giveUp("AMD's runtime is not to be had: " + fetched.errors.strip());
    }
    return Path.of(fetched.output.strip());
  }

  static Path libraries(Path root) {
    return root.resolve("usr/lib/x86_64-linux-gnu");
  }

  /** Compiles and runs {@code binding_check.c}; what it printed. */
  static String bindingCheck(Path root, Path dir) throws IOException, InterruptedException {
    Path program = dir.resolve("binding_check");
    Ended compiled;
    try {
      compiled =
          run(
              Map.of(),
              List.of(
                  System.getenv().getOrDefault("CC", "cc"),
                  "-std=c11",
                  "-Wall",
                  "-Werror",
                  // 5.2 wants the older name of the platform.
                  "-D__HIP_PLATFORM_AMD__",
                  "-D__HIP_PLATFORM_HCC__",
                  "-isystem",
                  root.resolve("usr/include").toString(),
                  "-I" + dir,
                  NATIVE.resolve("binding_check.c").toString(),
                  "-o",
                  program.toString()));
    } catch (IOException e) {
      giveUp("no C compiler: " + e.getMessage());
      throw e;
    }
    if (compiled.status != 0) {
      throw new AssertionError("binding_check.c does not compile:\n" + compiled.errors);
    }
    return run(Map.of(), List.of(program.toString())).output;
  }

  private static void giveUp(String message) {
    if (System.getenv("CI") != null) {
      throw new AssertionError(message);
    }
    System.err.println(message);
    Assumptions.abort(message);
  }

  /** Runs a command to its end. */
  static Ended run(Map<String, String> environment, List<String> command)
      throws IOException, InterruptedException {
    Path errors = Files.createTempFile("lmcache4j", ".stderr");
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
      builder.environment().putAll(environment);
      builder.environment().remove("JAVA_TOOL_OPTIONS");
      Process process = builder.start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Ended(process.waitFor(), output, Files.readString(errors));
    } finally {
      Files.deleteIfExists(errors);
    }
  }

  /** How a process ended, and what it printed. */
  record Ended(int status, String output, String errors) {}
}
