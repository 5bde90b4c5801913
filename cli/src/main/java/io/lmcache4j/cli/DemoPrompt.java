/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.TokenChunk;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;

/**
 * The prompt of the demo, the same in every run: random tokens, and random bytes in the place of
 * the tensors that a GPU would have computed for them.
 *
 * @param tokens how many tokens it has
 */
record DemoPrompt(int tokens) {

  /** What the prompt has when memory is not short. */
  static final DemoPrompt FULL = new DemoPrompt(2_048);

  static final String MODEL = "meta-llama/Llama-3.1-8B-Instruct";
  static final KvGeometry GEOMETRY = KvGeometry.LLAMA_3_1_8B;
  static final int CHUNK_TOKENS = GEOMETRY.chunkSize();

  static final int CHUNK_BYTES = Math.toIntExact(GEOMETRY.bytesPerChunk());

  /**
   * How often each byte is in memory at one time: in the server, in its or our socket buffers, in
   * the producer, in the consumer.
   */
  private static final int COPIES = 4;

  private static final int VOCABULARY = 128_256;
  private static final long SEED = 20_260_112;

  /** Returns the longest prompt for which {@code freeBytes} are enough: one chunk at the least. */
  static DemoPrompt fitting(long freeBytes) {
    int tokens = FULL.tokens;
    while (tokens > CHUNK_TOKENS && new DemoPrompt(tokens).bytes() * COPIES > freeBytes) {
      tokens /= 2;
    }
    return new DemoPrompt(tokens);
  }

  int chunks() {
    return tokens / CHUNK_TOKENS;
  }

  long bytes() {
    return (long) chunks() * CHUNK_BYTES;
  }

  List<ChunkKey> keys() {
    ChunkedTokenDatabase database =
        ChunkedTokenDatabase.builder()
            .modelName(MODEL)
            .dtype(GEOMETRY.dtype())
            .chunkSize(CHUNK_TOKENS)
            .noneHash(NoneHash.zero())
            .build();
    long[] ids = new SplittableRandom(SEED).longs(tokens, 0, VOCABULARY).toArray();
    return database.processTokens(ids).stream()
        .map(TokenChunk::key)
        .map(ChunkKey.class::cast)
        .toList();
  }

  /** Returns the metadata of a chunk as the vLLM of the seed handed it over: without a dtype. */
  static RemoteMetadata metadataWithoutDtypes() {
    return new RemoteMetadata(
        CHUNK_BYTES, GEOMETRY.chunkFormat(), List.of(GEOMETRY.chunkShape()), List.of());
  }

  /** Fills the payload of a chunk. */
  static void fill(int chunk, ChunkBuffer payload) {
    SplittableRandom random = new SplittableRandom(SEED + chunk);
    ByteBuffer bytes = payload.nio().order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.remaining() >= Long.BYTES) {
      bytes.putLong(random.nextLong());
    }
  }

  static long checksum(ChunkBuffer payload) {
    CRC32C crc = new CRC32C();
    crc.update(payload.nio());
    return crc.getValue();
  }
}
