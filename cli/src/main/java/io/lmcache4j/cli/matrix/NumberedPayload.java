/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.token.TokenChunk;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.SplittableRandom;

/**
 * Payloads in which everything says where in the model it belongs.
 *
 * <p>A head's vector of a token gets the number of (round, key or value, layer, token, head),
 * multiplied by an odd constant and combined with a pattern that has another word for each eight
 * bytes of the vector. So two vectors differ in each of their words, and the words of one vector
 * differ from each other: whatever is in a wrong place is seen. Words, because they are filled and
 * compared many times faster than elements of two bytes.
 *
 * <p>What a rank has is told here by vLLM's own formulas ({@code get_num_kv_heads} in {@code
 * vllm/config}, {@code QKVParallelLinear} in {@code vllm/model_executor/layers/linear.py}: {@code
 * shard_id = tp_rank // num_kv_head_replicas}), apart from those of the code that is checked.
 */
final class NumberedPayload {

  /** 2^64 over the golden ratio; odd, so that no two numbers have one product. */
  private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

  private final KvGeometry model;
  private final int promptTokens;
  private final long round;
  private final long[] pattern;

  NumberedPayload(KvGeometry model, int promptTokens, int round) {
    int headBytes = model.headSize() * model.dtype().itemSize();
    if (headBytes % Long.BYTES != 0) {
      throw new IllegalArgumentException(
          "a head has " + headBytes + " bytes, allowed here: multiples of " + Long.BYTES);
    }
    this.model = model;
    this.promptTokens = promptTokens;
    this.round = round;
    this.pattern =
        new SplittableRandom(headBytes).longs().distinct().limit(headBytes / Long.BYTES).toArray();
  }

  /** Writes what a rank's vLLM would have computed. */
  void fill(int tensorParallelSize, int rank, TokenChunk chunk, ByteBuffer payload) {
    Rank its = new Rank(tensorParallelSize, rank);
    LongBuffer words = payload.order(ByteOrder.nativeOrder()).asLongBuffer();
    for (int tensor = 0; tensor < 2; tensor++) {
      for (int layer = 0; layer < model.layers(); layer++) {
        for (int token = chunk.start(); token < chunk.end(); token++) {
          words.put(its.row(tensor, layer, token));
        }
      }
    }
  }

  /**
   * Compares every byte.
   *
   * @throws MatrixException that says what is wrong first
   */
  void check(int tensorParallelSize, int rank, TokenChunk chunk, ChunkKey key, ByteBuffer payload) {
    Rank its = new Rank(tensorParallelSize, rank);
    LongBuffer words = payload.order(ByteOrder.nativeOrder()).asLongBuffer();
    int tokens = chunk.end() - chunk.start();
    long wanted = 2L * model.layers() * tokens * its.row.length * Long.BYTES;
    if (payload.remaining() != wanted) {
      throw new MatrixException(
          key + " came back with " + payload.remaining() + " bytes, wanted are " + wanted);
    }
    LongBuffer row = LongBuffer.wrap(its.row);
    int at = 0;
    for (int tensor = 0; tensor < 2; tensor++) {
      for (int layer = 0; layer < model.layers(); layer++) {
        for (int token = chunk.start(); token < chunk.end(); token++) {
          its.row(tensor, layer, token);
          int wrong = words.slice(at, its.row.length).mismatch(row);
          if (wrong >= 0) {
            throw new MatrixException(
                key
                    + " came back different: the "
                    + (tensor == 0 ? "key" : "value")
                    + " of layer "
                    + layer
                    + ", token "
                    + token
                    + ", head "
                    + (its.firstHead + wrong / pattern.length)
                    + ", from dimension "
                    + wrong % pattern.length * Long.BYTES / model.dtype().itemSize());
          }
          at += its.row.length;
        }
      }
    }
  }

  /** What one rank has, and a row of it: all of its heads, of one token of one layer. */
  private final class Rank {

    private final int firstHead;
    private final long[] row;

    Rank(int tensorParallelSize, int rank) {
      int heads = Math.max(1, model.kvHeads() / tensorParallelSize);
      int replicas = Math.max(1, tensorParallelSize / model.kvHeads());
      firstHead = rank / replicas * heads;
      row = new long[heads * pattern.length];
    }

    long[] row(int tensor, int layer, int token) {
      long number = round * 2 + tensor;
      number = number * model.layers() + layer;
      number = number * promptTokens + token;
      number = number * model.kvHeads() + firstHead;
      for (int at = 0; at < row.length; at += pattern.length) {
        // Not zero, which is what a byte that was never written is.
        long mask = ++number * SPREAD;
        for (int i = 0; i < pattern.length; i++) {
          row[at + i] = pattern[i] ^ mask;
        }
      }
      return row;
    }
  }
}
