/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import io.lmcache4j.core.LmcacheVersion;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * SHA-256 of CBOR, of which 64 bits remain: an unsigned integer, which is also what enters the next
 * link.
 */
final class Sha256CborIntegerHasher extends IntegerHasher {

  /** Which 64 bits of the digest remain. */
  enum Bits {
    /** LMCache 0.4.6 and newer fold a digest to its first 8 bytes (pull request 2999). */
    HIGH(0),
    /** vLLM's {@code sha256_cbor_64bit} keeps the last 8 bytes (vLLM pull request 20511). */
    LOW(Sha256.BYTES - Long.BYTES);

    private static final VarHandle LONG =
        MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private final int offset;

    Bits(int offset) {
      this.offset = offset;
    }

    long of(byte[] digest) {
      return (long) LONG.get(digest, offset);
    }
  }

  private final ThirdElement third;
  private final Bits bits;
  private final byte[] noneHash;

  /**
   * Creates a hasher.
   *
   * @param version the release whose hashes these are
   * @param bits what remains of a digest
   * @param noneHash NONE_HASH in CBOR
   */
  Sha256CborIntegerHasher(LmcacheVersion version, Bits bits, byte[] noneHash) {
    super(version);
    third = ThirdElement.of(version);
    this.bits = bits;
    this.noneHash = noneHash;
  }

  @Override
  void hash(Tokens tokens, int end, int chunkSize, long[] hashes) {
    Sha256CborLink link = new Sha256CborLink(tokens, end, chunkSize, third);
    int chunks = ChunkHasher.chunks(end, chunkSize);
    for (int k = 0; k < chunks; k++) {
      int from = k * chunkSize;
      int to = from + Math.min(chunkSize, end - from);
      hashes[k] =
          bits.of(
              k == 0
                  ? link.digestAfterCbor(noneHash, from, to)
                  : link.digestAfterUnsigned(hashes[k - 1], from, to));
    }
  }

  @Override
  boolean isSigned() {
    return false;
  }
}
