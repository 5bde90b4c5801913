/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Where a command reads and writes: data on {@code out}, everything else on {@code err}.
 *
 * @param in standard input
 * @param out standard output, UTF-8, flushed when the command ends
 * @param err standard error, UTF-8
 * @param progress whether {@code err} is a terminal, on which a bar can move
 */
record Streams(InputStream in, PrintStream out, PrintStream err, boolean progress) {

  /** The launcher looks whether stderr is a terminal, since Java cannot. */
  private static final String PROGRESS = "lmcache4j.progress";

  private static final int BUFFER = 1 << 16;

  /** Returns those of the process. */
  static Streams system() {
    return new Streams(
        System.in,
        new PrintStream(
            new java.io.BufferedOutputStream(new FileOutputStream(FileDescriptor.out), BUFFER),
            false,
            StandardCharsets.UTF_8),
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
        Boolean.getBoolean(PROGRESS));
  }
}
