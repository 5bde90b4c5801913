/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * The chain of LMCache 0.3.0 to 0.3.2: SHA-256 of the previous hash's 64 hexadecimal digits (none
 * before the first chunk) and the tokens as unsigned 32-bit little-endian integers.
 *
 * <p>Source: {@code _hash}, {@code lmcache/v1/token_database.py}, LMCache 0.3.1. There is no
 * NONE_HASH and no choice of an algorithm.
 */
final class Sha256HexHasher implements ChunkHasher {

  private static final int DIGITS = 2 * Sha256.BYTES;

  @Override
  public String[] hash(Tokens tokens, int end, int chunkSize, int firstChunk) {
    Sha256 sha = new Sha256();
    byte[] message =
        new byte
            [Math.addExact(DIGITS, Math.multiplyExact(Math.min(end, chunkSize), Integer.BYTES))];
    int chunks = ChunkHasher.chunks(end, chunkSize);
    String[] texts = new String[chunks];
    for (int k = 0; k < chunks; k++) {
      int from = k * chunkSize;
      int to = from + Math.min(chunkSize, end - from);
      int start = k == 0 ? DIGITS : 0;
      tokens.writeUint32(message, DIGITS, from, to);
      int length = DIGITS - start + Integer.BYTES * (to - from);
      texts[k] = HexFormat.of().formatHex(sha.digest(message, start, length));
      byte[] digits = texts[k].getBytes(StandardCharsets.US_ASCII);
      System.arraycopy(digits, 0, message, 0, DIGITS);
    }
    return Arrays.copyOfRange(texts, firstChunk, chunks);
  }
}
