/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * SipHash-c-d with a 64-bit result (Aumasson and Bernstein, 2012), the hash of CPython's strings.
 */
final class SipHash {

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /** The ASCII of "somepseudorandomlygeneratedbytes", from the paper. */
  private static final long INIT_0 = 0x736f6d6570736575L;

  private static final long INIT_1 = 0x646f72616e646f6dL;
  private static final long INIT_2 = 0x6c7967656e657261L;
  private static final long INIT_3 = 0x7465646279746573L;

  private long v0;
  private long v1;
  private long v2;
  private long v3;

  private SipHash(long k0, long k1) {
    v0 = k0 ^ INIT_0;
    v1 = k1 ^ INIT_1;
    v2 = k0 ^ INIT_2;
    v3 = k1 ^ INIT_3;
  }

  /**
   * Hashes a message.
   *
   * @param compressionRounds c, rounds for each 8 bytes
   * @param finalRounds d, rounds at the end
   * @param k0 first half of the key
   * @param k1 second half of the key
   * @param message the message
   * @return the hash
   */
  static long hash(int compressionRounds, int finalRounds, long k0, long k1, byte[] message) {
    SipHash state = new SipHash(k0, k1);
    int whole = message.length & -Long.BYTES;
    for (int i = 0; i < whole; i += Long.BYTES) {
      state.absorb((long) LONG.get(message, i), compressionRounds);
    }
    long last = (long) message.length << 56;
    for (int i = whole; i < message.length; i++) {
      last |= (message[i] & 0xffL) << (Byte.SIZE * (i - whole));
    }
    state.absorb(last, compressionRounds);
    state.v2 ^= 0xff;
    state.rounds(finalRounds);
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
  }

  private void absorb(long word, int rounds) {
    v3 ^= word;
    rounds(rounds);
    v0 ^= word;
  }

  private void rounds(int n) {
    for (int i = 0; i < n; i++) {
      v0 += v1;
      v1 = Long.rotateLeft(v1, 13) ^ v0;
      v0 = Long.rotateLeft(v0, 32);
      v2 += v3;
      v3 = Long.rotateLeft(v3, 16) ^ v2;
      v0 += v3;
      v3 = Long.rotateLeft(v3, 21) ^ v0;
      v2 += v1;
      v1 = Long.rotateLeft(v1, 17) ^ v2;
      v2 = Long.rotateLeft(v2, 32);
    }
  }
}
