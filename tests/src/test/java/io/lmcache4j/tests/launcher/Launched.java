/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A run of the launcher that has ended: its exit code and what it said. */
final class Launched {

  /** The repository's root; the tests run in a module below it. */
  static final Path ROOT = root();

  private static final int LIMIT_SECONDS = 600;

  private final int exitCode;
  private final byte[] bytes;
  private final String err;

  private Launched(int exitCode, byte[] bytes, String err) {
    this.exitCode = exitCode;
    this.bytes = bytes;
    this.err = err;
  }

  private static Path root() {
    Path dir = Path.of("").toAbsolutePath();
    while (!Files.exists(dir.resolve("lmcache4j"))) {
      dir = dir.resolve("..").normalize();
    }
    return dir;
  }

  static Launched run(String... args) {
    return run(Map.of(), args);
  }

  static Launched run(Map<String, String> environment, String... args) {
    List<String> command = new ArrayList<>(List.of(ROOT.resolve("lmcache4j").toString()));
    command.addAll(List.of(args));
    return run(ROOT, environment, command);
  }

  /** Runs any command with the tests' own Java and without the variables of LMCache. */
  static Launched run(Path dir, Map<String, String> environment, List<String> command) {
    try {
      ProcessBuilder builder = new ProcessBuilder(command).directory(dir.toFile());
      builder.environment().keySet().removeIf(name -> name.startsWith("LMCACHE_"));
      Map<String, String> variables = new HashMap<>();
      variables.put("JAVA_HOME", System.getProperty("java.home"));
      variables.putAll(environment);
      builder.environment().putAll(variables);
      Process process = builder.start();
      process.getOutputStream().close();
      CompletableFuture<byte[]> out =
          CompletableFuture.supplyAsync(() -> all(process.getInputStream()));
      CompletableFuture<byte[]> err =
          CompletableFuture.supplyAsync(() -> all(process.getErrorStream()));
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("did not end: " + command);
      }
      return new Launched(
          process.exitValue(), out.join(), new String(err.join(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private static byte[] all(InputStream in) {
    try (in) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  byte[] bytes() {
    return bytes.clone();
  }

  String out() {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  List<String> lines() {
    return out().lines().toList();
  }

  String err() {
    return err;
  }

  Launched endsWith(int expected) {
    assertThat(exitCode).as("exit code; stderr: %s; stdout: %s", err, out()).isEqualTo(expected);
    return this;
  }

  /** Ended with this code, one or two lines on stderr that say this, and nothing on stdout. */
  void fails(int expected, String... said) {
    endsWith(expected);
    assertThat(bytes).isEmpty();
    assertThat(err).startsWith("lmcache4j: ").contains(said).doesNotContain("\tat ");
    assertThat(err.lines().count()).isBetween(1L, 2L);
  }
}
