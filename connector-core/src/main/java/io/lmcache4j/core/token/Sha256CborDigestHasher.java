/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import io.lmcache4j.core.LmcacheVersion;
import java.util.HexFormat;

/**
 * SHA-256 of CBOR whose digest is kept whole: 32 bytes enter the next link, 64 digits the key
 * (LMCache 0.3.13 to 0.4.5).
 */
final class Sha256CborDigestHasher implements ChunkHasher {

  private final ThirdElement third;
  private final byte[] noneHash;

  /**
   * Creates a hasher.
   *
   * @param version the release whose hashes these are
   * @param noneHash NONE_HASH in CBOR
   */
  Sha256CborDigestHasher(LmcacheVersion version, byte[] noneHash) {
    third = ThirdElement.of(version);
    this.noneHash = noneHash;
  }

  @Override
  public String[] hash(Tokens tokens, int end, int chunkSize, int firstChunk) {
    Sha256CborLink link = new Sha256CborLink(tokens, end, chunkSize, third);
    int chunks = ChunkHasher.chunks(end, chunkSize);
    String[] texts = new String[chunks - firstChunk];
    byte[] previous = noneHash;
    for (int k = 0; k < chunks; k++) {
      int from = k * chunkSize;
      int to = from + Math.min(chunkSize, end - from);
      previous =
          k == 0
              ? link.digestAfterCbor(noneHash, from, to)
              : link.digestAfterBytes(previous, from, to);
      if (k >= firstChunk) {
        texts[k - firstChunk] = HexFormat.of().formatHex(previous);
      }
    }
    return texts;
  }
}
