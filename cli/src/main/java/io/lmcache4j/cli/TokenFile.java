/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** A prompt's token ids in a file, or on standard input. */
final class TokenFile {

  private static final String STDIN = "-";

  /** A prompt of a million tokens has some 7 MB. */
  private static final int MAX_BYTES = 256 << 20;

  private TokenFile() {}

  static long[] read(Streams streams, String file) {
    return TokenText.parse(file.equals(STDIN) ? "standard input" : file, text(streams, file));
  }

  private static String text(Streams streams, String file) {
    try (InputStream in = file.equals(STDIN) ? streams.in() : Files.newInputStream(Path.of(file))) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw CommandException.badInput(file + ": longer than " + MAX_BYTES + " bytes");
      }
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw CommandException.badInput(file + ": there is no such file");
    } catch (IOException e) {
      throw CommandException.badInput(file + ": cannot be read (" + e.getMessage() + ")");
    }
  }
}
