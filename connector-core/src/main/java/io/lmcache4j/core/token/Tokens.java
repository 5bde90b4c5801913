/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

/**
 * A prompt, read in place: the caller's array is neither copied nor kept beyond the call.
 *
 * <p>The element type is hidden here, so that each hash is written once.
 */
abstract sealed class Tokens permits IntTokens, LongTokens {

  /** How many tokens there are. */
  abstract int length();

  /**
   * Hashes each chunk's tokens as Python hashes a tuple of integers. No chunk's hash depends on
   * another's.
   *
   * @param end index after the last token to hash
   * @param chunkSize tokens in a chunk; the last may have fewer
   * @param hashes receives the hashes
   */
  abstract void hashTuples(int end, int chunkSize, long[] hashes);

  /** Writes the tokens {@code from} to {@code to} as a CBOR array. */
  abstract void writeCbor(CborTupleWriter writer, int from, int to);

  /**
   * Writes tokens as unsigned 32-bit little-endian integers, cut to their low 32 bits as {@code
   * torch.Tensor.to(torch.uint32)} does.
   */
  abstract void writeUint32(byte[] out, int offset, int from, int to);

  /** The largest number of bytes that a token takes in CBOR. */
  abstract int maxCborBytes();
}
