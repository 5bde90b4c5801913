/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import io.lmcache4j.core.LmcacheVersion;

/** A chain whose hashes are 64-bit integers. */
abstract sealed class IntegerHasher implements ChunkHasher
    permits BuiltinHasher, Sha256CborIntegerHasher {

  private static final int DECIMAL = 10;
  private static final int HEXADECIMAL = 16;

  private final int radix;

  IntegerHasher(LmcacheVersion version) {
    radix = version.isAtLeast(0, 3, 6) ? HEXADECIMAL : DECIMAL;
  }

  /**
   * Hashes a prompt.
   *
   * @param tokens the prompt
   * @param end index after the last token to hash
   * @param chunkSize tokens in a chunk; the last may have fewer
   * @param hashes receives the hashes of all chunks; long enough
   */
  abstract void hash(Tokens tokens, int end, int chunkSize, long[] hashes);

  @Override
  public final String[] hash(Tokens tokens, int end, int chunkSize, int firstChunk) {
    int chunks = ChunkHasher.chunks(end, chunkSize);
    long[] hashes = new long[chunks];
    hash(tokens, end, chunkSize, hashes);
    String[] texts = new String[chunks - firstChunk];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = text(hashes[firstChunk + i]);
    }
    return texts;
  }

  /**
   * Returns a hash as it stands in a key: hexadecimal since 0.3.6, decimal before; never padded,
   * and a negative one with a minus.
   */
  final String text(long hash) {
    return isSigned() ? Long.toString(hash, radix) : Long.toUnsignedString(hash, radix);
  }

  /** Whether a hash of 2^63 or more is a negative number. */
  abstract boolean isSigned();
}
