/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.docs;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;

/** The example of the README, word for word. */
final class EmbeddingExample {

  private EmbeddingExample() {}

  /** Stores a chunk and reads it back; returns the bytes that came back. */
  static int roundTrip(String url) {
    // tag::example
    try (DirectMemory memory = DirectMemory.create(256 << 20);
        RedisConnector redis =
            RedisConnector.open(RedisConnectorOptions.builder(url).memory(memory).build())) {
      ChunkKey key =
          CacheEngineKey.of("meta-llama/Llama-3.1-8B-Instruct", 1, 0, "42d0f546", DType.BFLOAT16);
      RemoteMetadata metadata =
          RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, 32, 256, 1024), DType.BFLOAT16);

      ChunkBuffer lease = memory.tryLease((int) metadata.length());
      if (lease == null) {
        throw new IllegalStateException("no room for a chunk");
      }
      // ... write the tensor into lease.nio() ...
      try (KvChunk chunk = new KvChunk(key, metadata, lease)) {
        PutOutcome put = redis.sync().put(chunk); // Stored, or Failed with the reason
        System.out.println(put);
      }

      GetOutcome got = redis.sync().get(key); // Hit, Miss, Orphan, Corrupt, NoMemory or Failed
      if (got instanceof GetOutcome.Hit hit) {
        try (KvChunk chunk = hit.chunk()) { // the lease goes back when the chunk is closed
          return chunk.payload().nio().remaining();
        }
      }
      return 0;
    }
    // end::example
  }
}
