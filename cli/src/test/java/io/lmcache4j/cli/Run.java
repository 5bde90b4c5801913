/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** One run of a command line inside the JVM of the test. */
final class Run {

  private final int exitCode;
  private final byte[] bytes;
  private final String err;

  private Run(int exitCode, byte[] bytes, String err) {
    this.exitCode = exitCode;
    this.bytes = bytes;
    this.err = err;
  }

  static Run of(String... args) {
    return with(Map.of(), "", args);
  }

  static Run with(Map<String, String> environment, String input, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Streams streams =
        new Streams(
            new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false);
    int exitCode = Lmcache4j.execute(streams, environment, args);
    return new Run(exitCode, out.toByteArray(), err.toString(StandardCharsets.UTF_8));
  }

  int exitCode() {
    return exitCode;
  }

  byte[] bytes() {
    return bytes.clone();
  }

  String err() {
    return err;
  }

  String out() {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  List<String> lines() {
    return out().lines().toList();
  }
}
