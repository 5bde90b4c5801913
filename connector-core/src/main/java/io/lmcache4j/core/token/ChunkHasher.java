/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

/**
 * Hashes the chunks of a prompt in a chain: each chunk's hash covers the tokens of all before it.
 *
 * <p>Immutable; safe for use by many threads. What a chain needs on its way is made for each call.
 */
sealed interface ChunkHasher permits IntegerHasher, Sha256CborDigestHasher, Sha256HexHasher {

  /**
   * Hashes a prompt.
   *
   * @param tokens the prompt
   * @param end index after the last token to hash
   * @param chunkSize tokens in a chunk; the last may have fewer
   * @param firstChunk the first chunk whose hash is wanted; those before are hashed all the same
   * @return the hashes from that chunk on, as they stand in a key
   */
  String[] hash(Tokens tokens, int end, int chunkSize, int firstChunk);

  /** Returns how many chunks so many tokens make, a short one included. */
  static int chunks(int tokens, int chunkSize) {
    return tokens / chunkSize + (tokens % chunkSize == 0 ? 0 : 1);
  }
}
