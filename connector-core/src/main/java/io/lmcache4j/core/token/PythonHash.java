/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;

/**
 * CPython's {@code hash()} of integers, tuples, {@code None} and ASCII strings, for a 64-bit build.
 *
 * <p>Sources: {@code Objects/longobject.c}, {@code Objects/tupleobject.c}, {@code Python/pyhash.c},
 * {@code Python/bootstrap_hash.c}. The tuple hash is xxHash64's round applied to the elements'
 * hashes; its constants keep xxHash's numbering.
 */
final class PythonHash {

  /** {@code _PyTuple_HASH_XXPRIME_1}. */
  private static final long PRIME_1 = 0x9E3779B185EBCA87L;

  /** {@code _PyTuple_HASH_XXPRIME_2}. */
  private static final long PRIME_2 = 0xC2B2AE3D27D4EB4FL;

  /** {@code _PyTuple_HASH_XXPRIME_5}, where every tuple starts. */
  static final long TUPLE_SEED = 0x27D4EB2F165667C5L;

  /** {@code _PyTuple_HASH_XXROTATE} of a 64-bit build. */
  private static final int ROTATION = 31;

  /** What the length is mixed with at the end. */
  private static final long LENGTH_MIX = TUPLE_SEED ^ 3527539L;

  /** What a tuple hashes to that would hash to -1, which C code keeps for errors. */
  private static final long TUPLE_MINUS_ONE = 1546275796L;

  /** {@code _PyHASH_MODULUS}, 2^61 - 1: integers hash to themselves modulo this. */
  private static final long MODULUS = (1L << 61) - 1;

  private static final BigInteger BIG_MODULUS = BigInteger.valueOf(MODULUS);

  /** What any other -1 becomes. */
  private static final long MINUS_ONE = -2;

  /** {@code hash(())}. */
  static final long EMPTY_TUPLE = finishTuple(TUPLE_SEED, 0);

  /** {@code hash(None)} since Python 3.12 ({@code none_hash}, {@code Objects/object.c}). */
  static final long NONE = 0xfca86420L;

  private static final int KEY_BYTES = 2 * Long.BYTES;

  private PythonHash() {}

  /** Returns {@code hash(x)}: sign and magnitude, the magnitude modulo 2^61 - 1. */
  static long ofInteger(long x) {
    long h = x % MODULUS;
    return h == -1 ? MINUS_ONE : h;
  }

  /** Returns {@code hash(x)} of an integer of any size. */
  static long ofInteger(BigInteger x) {
    return ofInteger(x.remainder(BIG_MODULUS).longValueExact());
  }

  /** Returns the hash of an integer that is smaller than the modulus. */
  static long ofInteger(int x) {
    return x == -1 ? MINUS_ONE : x;
  }

  /**
   * Takes the next element of a tuple.
   *
   * <p>The multiplication of the element is off the critical path: what a tuple costs is one
   * addition, one rotation and one multiplication after another for each element.
   *
   * @param state {@link #TUPLE_SEED} or what the elements before left
   * @param elementHash the element's own hash
   * @return the state after it
   */
  static long nextElement(long state, long elementHash) {
    return Long.rotateLeft(state + elementHash * PRIME_2, ROTATION) * PRIME_1;
  }

  /** Returns the hash of a tuple from the state after its last element. */
  static long finishTuple(long state, int length) {
    long h = state + (length ^ LENGTH_MIX);
    return h == -1 ? TUPLE_MINUS_ONE : h;
  }

  /**
   * Returns {@code hash(text)} in a process that was started with {@code PYTHONHASHSEED}.
   *
   * @param text ASCII, which CPython keeps (and hashes) as one byte a character
   * @param seed the seed, an unsigned 32-bit number
   * @param python selects the SipHash
   */
  static long ofString(String text, long seed, PythonVersion python) {
    if (text.isEmpty()) {
      return 0;
    }
    byte[] key = hashKey(seed);
    long k0 = littleEndian(key, 0);
    long k1 = littleEndian(key, Long.BYTES);
    int compressionRounds = python.usesSipHash13() ? 1 : 2;
    int finalRounds = python.usesSipHash13() ? 3 : 4;
    byte[] message = text.getBytes(StandardCharsets.US_ASCII);
    long h = SipHash.hash(compressionRounds, finalRounds, k0, k1, message);
    return h == -1 ? MINUS_ONE : h;
  }

  /** {@code lcg_urandom}; seed 0 switches randomisation off, which leaves the key zero. */
  private static byte[] hashKey(long seed) {
    byte[] key = new byte[KEY_BYTES];
    if (seed != 0) {
      int x = (int) seed;
      for (int i = 0; i < KEY_BYTES; i++) {
        x = x * 214013 + 2531011;
        key[i] = (byte) (x >>> 16);
      }
    }
    return key;
  }

  private static long littleEndian(byte[] bytes, int offset) {
    long value = 0;
    for (int i = Long.BYTES - 1; i >= 0; i--) {
      value = value << Byte.SIZE | (bytes[offset + i] & 0xffL);
    }
    return value;
  }
}
