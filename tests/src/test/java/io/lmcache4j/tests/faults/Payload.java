/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Bytes that say whose they are and follow from that: key, writer, length and a serial number, and
 * then numbers that these four give. A byte of another payload, key or length shows.
 */
final class Payload {

  /** Who wrote it shows in what follows; a payload has more than this. */
  static final int PREAMBLE = 4 * Integer.BYTES;

  private static final long MULTIPLIER = 6364136223846793005L;
  private static final long INCREMENT = 1442695040888963407L;

  private Payload() {}

  /** Fills a whole buffer. */
  static void fill(ByteBuffer into, int key, int writer, int serial) {
    ByteBuffer bytes = into.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    int length = bytes.remaining();
    bytes.putInt(key).putInt(writer).putInt(length).putInt(serial);
    long x = seed(key, writer, length, serial);
    while (bytes.remaining() >= Long.BYTES) {
      x = x * MULTIPLIER + INCREMENT;
      bytes.putLong(x);
    }
    x = x * MULTIPLIER + INCREMENT;
    for (; bytes.hasRemaining(); x >>>= Byte.SIZE) {
      bytes.put((byte) x);
    }
  }

  /**
   * Counts the bytes that are not what the one writer wrote whom the payload names; all of them if
   * it belongs to another key or length.
   */
  static int wrongBytes(ByteBuffer from, int key) {
    ByteBuffer bytes = from.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    int length = bytes.remaining();
    if (length < PREAMBLE || bytes.getInt(0) != key || bytes.getInt(2 * Integer.BYTES) != length) {
      return length;
    }
    long x = seed(key, bytes.getInt(Integer.BYTES), length, bytes.getInt(3 * Integer.BYTES));
    bytes.position(PREAMBLE);
    int wrong = 0;
    while (bytes.remaining() >= Long.BYTES) {
      x = x * MULTIPLIER + INCREMENT;
      wrong += differing(bytes.getLong() ^ x);
    }
    x = x * MULTIPLIER + INCREMENT;
    for (; bytes.hasRemaining(); x >>>= Byte.SIZE) {
      wrong += bytes.get() == (byte) x ? 0 : 1;
    }
    return wrong;
  }

  /** Who wrote it, by its own account. */
  static int writer(ByteBuffer from) {
    return from.duplicate().order(ByteOrder.LITTLE_ENDIAN).getInt(Integer.BYTES);
  }

  private static int differing(long difference) {
    int bytes = 0;
    for (long rest = difference; rest != 0; rest >>>= Byte.SIZE) {
      bytes += (rest & 0xff) == 0 ? 0 : 1;
    }
    return bytes;
  }

  private static long seed(int key, int writer, int length, int serial) {
    long x = key;
    x = x * MULTIPLIER + writer;
    x = x * MULTIPLIER + length;
    return x * MULTIPLIER + serial;
  }
}
