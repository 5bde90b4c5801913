/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Builds {@code tests/native} into {@code target/native}, once for all JVMs of a run: a digest of
 * the sources tells whether what is there is theirs.
 */
final class NativeBuild {

  private static final Path BASE = Path.of(System.getProperty("basedir", ".")).toAbsolutePath();
  private static final Path SOURCES = BASE.resolve("native");
  private static final Path TARGET = BASE.resolve("target").resolve("native");

  private NativeBuild() {}

  /** Why there can be no fake on this machine; nothing if there can. */
  static Optional<String> obstacle() {
    String system = System.getProperty("os.name") + " on " + System.getProperty("os.arch");
    if (!system.equals("Linux on amd64")) {
      return Optional.of("it is for Linux on amd64, and this is " + system);
    }
    try {
      run(List.of("cc", "--version"));
      return Optional.empty();
    } catch (UncheckedIOException e) {
      return Optional.of("no C compiler: " + e.getMessage() + " (Debian: gcc and libc6-dev)");
    }
  }

  /** The directory with the libraries and the self test, built now if need be. */
  static synchronized Path directory() {
    try {
      Files.createDirectories(TARGET);
      try (FileChannel lock =
          FileChannel.open(
              TARGET.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        // Held until the channel is closed: another JVM waits here and finds the work done.
        lock.lock();
        Path stamp = TARGET.resolve("sources.sha256");
        String digest = digest();
        if (!Files.exists(stamp) || !Files.readString(stamp).equals(digest)) {
          run(List.of("sh", SOURCES.resolve("build.sh").toString(), TARGET.toString(), "build"));
          Files.writeString(stamp, digest);
        }
      }
      return TARGET;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The fake under the soname of a major version: 5, 6 or 7. */
  static Path library(int major) {
    return directory().resolve("libamdhip64.so." + major);
  }

  private static String digest() throws IOException {
    try (Stream<Path> files = Files.list(SOURCES)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Path file : files.sorted().toList()) {
        digest.update(Files.readAllBytes(file));
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Runs a command to its end; what it printed. */
  static String run(List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = process.waitFor();
      if (status != 0) {
        throw new IllegalStateException(command + " ended with " + status + ":\n" + output);
      }
      return output;
    } catch (InterruptedException e) {
      throw new UncheckedIOException(new InterruptedIOException("interrupted"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
