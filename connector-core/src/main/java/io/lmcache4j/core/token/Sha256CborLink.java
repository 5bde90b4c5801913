/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

/** One link of a chain over SHA-256 of CBOR. Scratch of one call: for one thread. */
final class Sha256CborLink {

  private final Tokens tokens;
  private final CborTupleWriter writer;
  private final Sha256 sha = new Sha256();

  Sha256CborLink(Tokens tokens, int end, int chunkSize, ThirdElement third) {
    this.tokens = tokens;
    writer =
        new CborTupleWriter(
            Math.multiplyExact(Math.min(end, chunkSize), tokens.maxCborBytes()), third);
  }

  /** Digests a chunk whose previous hash is CBOR already. */
  byte[] digestAfterCbor(byte[] previous, int from, int to) {
    beginTokens(from, to);
    writer.writeRaw(previous);
    return digest();
  }

  /** Digests a chunk whose previous hash is an unsigned integer. */
  byte[] digestAfterUnsigned(long previous, int from, int to) {
    beginTokens(from, to);
    writer.writeUnsigned(previous);
    return digest();
  }

  /** Digests a chunk whose previous hash is a byte string. */
  byte[] digestAfterBytes(byte[] previous, int from, int to) {
    beginTokens(from, to);
    writer.writeBytes(previous);
    return digest();
  }

  private void beginTokens(int from, int to) {
    writer.begin();
    tokens.writeCbor(writer, from, to);
  }

  private byte[] digest() {
    writer.end();
    return sha.digest(writer.array(), writer.offset(), writer.length());
  }
}
