/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/**
 * Bytes that say who wrote them: the same word all over, so that a mixture of two writers shows
 * wherever it begins.
 */
final class Words {

  /** Written into what goes to the server. */
  static final long SENT = 0x5E00_0000_0000_0000L;

  /** Written by whoever leases memory for no other purpose than to see it left alone. */
  static final long OWN = 0x0A00_0000_0000_0000L;

  private static final long KIND = 0xFF00_0000_0000_0000L;

  private Words() {}

  static void fill(ByteBuffer bytes, long word) {
    ByteBuffer out = bytes.duplicate().order(ByteOrder.BIG_ENDIAN);
    while (out.hasRemaining()) {
      out.putLong(word);
    }
  }

  /** The word that all these bytes consist of, or nothing if they are a mixture. */
  static OptionalLong only(ByteBuffer bytes) {
    ByteBuffer in = bytes.duplicate().order(ByteOrder.BIG_ENDIAN);
    long first = in.getLong();
    while (in.hasRemaining()) {
      if (in.getLong() != first) {
        return OptionalLong.empty();
      }
    }
    return OptionalLong.of(first);
  }

  static boolean isSent(OptionalLong word) {
    return word.isPresent() && (word.getAsLong() & KIND) == SENT;
  }
}
