/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;

/**
 * What resharding is held against: the same bytes through the same connector and memory, as many
 * chunks at a time, got and put again under another key without being looked at.
 */
final class PlainCopy {

  private static final Map<String, String> TAGS = Map.of("lmcache4j", "copy");

  private final RedisConnector connector;

  PlainCopy(RedisConnector connector) {
    this.connector = connector;
  }

  /** The key under which a chunk is put. */
  static ChunkKey copyOf(ChunkKey key) {
    return new CacheEngineKey(
        key.modelName(), key.worldSize(), key.workerId(), key.chunkHash(), key.dtype(), TAGS);
  }

  /**
   * Copies.
   *
   * @param chunks each all workers' keys of one chunk
   * @param atOnce how many of these are under way at one time
   * @throws MatrixException if one was not there
   */
  void copyAll(List<List<ChunkKey>> chunks, int atOnce) throws InterruptedException {
    Semaphore room = new Semaphore(atOnce);
    List<CompletionStage<Void>> copies = new ArrayList<>();
    for (List<ChunkKey> chunk : chunks) {
      room.acquire();
      copies.add(copy(chunk).whenComplete((done, failed) -> room.release()));
    }
    // All have ended, also where one has failed: what they wrote is removed next.
    room.acquire(atOnce);
    Outcomes.join(copies);
  }

  private CompletionStage<Void> copy(List<ChunkKey> keys) {
    return connector
        .batchedGet(keys)
        .thenCompose(
            found -> {
              List<KvChunk> copies = new ArrayList<>();
              try {
                for (GetOutcome outcome : found) {
                  KvChunk chunk = Outcomes.hit(outcome);
                  copies.add(new KvChunk(copyOf(chunk.key()), chunk.metadata(), chunk.payload()));
                }
                return connector.batchedPut(copies);
              } catch (RuntimeException e) {
                return CompletableFuture.<List<PutOutcome>>failedFuture(e);
              } finally {
                Outcomes.close(found);
              }
            })
        .thenAccept(stored -> stored.forEach(Outcomes::stored));
  }
}
