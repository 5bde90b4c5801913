/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** A prompt in a {@code long[]}: the element type of torch's token tensors. */
final class LongTokens extends Tokens {

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int MAX_CBOR_BYTES = 9;

  private final long[] tokens;

  LongTokens(long[] tokens) {
    this.tokens = tokens;
  }

  @Override
  int length() {
    return tokens.length;
  }

  @Override
  void hashTuples(int end, int chunkSize, long[] hashes) {
    int k = 0;
    int count;
    for (int from = 0; from < end; from += count) {
      count = Math.min(chunkSize, end - from);
      long state = PythonHash.TUPLE_SEED;
      for (int i = 0; i < count; i++) {
        state = PythonHash.nextElement(state, PythonHash.ofInteger(tokens[from + i]));
      }
      hashes[k++] = PythonHash.finishTuple(state, count);
    }
  }

  @Override
  void writeCbor(CborTupleWriter writer, int from, int to) {
    writer.writeIntegers(tokens, from, to);
  }

  @Override
  void writeUint32(byte[] out, int offset, int from, int to) {
    for (int i = from; i < to; i++) {
      INT.set(out, offset + Integer.BYTES * (i - from), (int) tokens[i]);
    }
  }

  @Override
  int maxCborBytes() {
    return MAX_CBOR_BYTES;
  }
}
