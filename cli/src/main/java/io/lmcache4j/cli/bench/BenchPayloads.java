/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.bench;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.KvChunk;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The chunks that are written again and again: random bytes, and in each page of 4 KiB a word that
 * says which round, chunk and page it is, so that a page of another round or place is noticed.
 */
final class BenchPayloads implements AutoCloseable {

  private static final int PAGE = 4096;
  private static final int FIRST_HASH = 1000;

  private final List<KvChunk> chunks = new ArrayList<>();

  BenchPayloads(BenchSettings settings, HostMemory memory) {
    Shape shape = Shape.of(2, 1, 256, settings.chunkBytes() / BenchSettings.CHUNK_UNIT);
    RemoteMetadata metadata =
        new RemoteMetadata(
            settings.chunkBytes(), MemoryFormat.KV_2LTD, List.of(shape), List.of(DType.BFLOAT16));
    for (int i = 0; i < settings.batch(); i++) {
      ChunkBuffer payload = memory.tryLease(settings.chunkBytes());
      if (payload == null) {
        close();
        throw new BenchException(
            "no direct memory for chunk " + (i + 1) + " of " + settings.batch());
      }
      fill(payload.nio(), i);
      chunks.add(new KvChunk(key(i), metadata, payload));
    }
  }

  private static ChunkKey key(int i) {
    return ChunkKey.parse(
        "lmcache4j-bench@1@0@" + Integer.toHexString(FIRST_HASH + i) + "@bfloat16");
  }

  private static void fill(ByteBuffer bytes, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    while (bytes.remaining() >= Long.BYTES) {
      bytes.putLong(random.nextLong());
    }
  }

  List<KvChunk> chunks() {
    return chunks;
  }

  List<ChunkKey> keys() {
    return chunks.stream().map(KvChunk::key).toList();
  }

  void stamp(int round) {
    for (int i = 0; i < chunks.size(); i++) {
      ByteBuffer bytes = chunks.get(i).payload().nio();
      for (int at = 0; at + Long.BYTES <= bytes.capacity(); at += PAGE) {
        bytes.putLong(at, ((long) round << 48) | ((long) i << 32) | at);
      }
    }
  }

  /** Compares every byte. */
  void verify(int i, ChunkBuffer received) {
    int differs = chunks.get(i).payload().nio().mismatch(received.nio());
    if (differs >= 0) {
      throw new BenchException(chunks.get(i).key() + " came back different from byte " + differs);
    }
  }

  @Override
  public void close() {
    chunks.forEach(KvChunk::close);
    chunks.clear();
  }
}
