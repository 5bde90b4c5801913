/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.rocm.ChunkTransport;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Redis behind {@link io.lmcache4j.rocm.GpuChunks}. */
final class RedisTransport implements ChunkTransport {

  private final RedisConnector connector;

  RedisTransport(RedisConnector connector) {
    this.connector = connector;
  }

  @Override
  public CompletionStage<Void> put(ChunkKey key, RemoteMetadata metadata, ChunkBuffer payload) {
    CompletableFuture<PutOutcome> asked =
        connector.put(new KvChunk(key, metadata, payload)).toCompletableFuture();
    CompletableFuture<Void> told = cancelling(asked);
    asked.whenComplete(
        (outcome, failure) -> {
          if (failure != null) {
            told.completeExceptionally(failure);
          } else if (outcome instanceof PutOutcome.Failed failed) {
            told.completeExceptionally(failed.cause());
          } else {
            told.complete(null);
          }
        });
    return told;
  }

  @Override
  public CompletionStage<Fetched> get(ChunkKey key, HostMemory into) {
    CompletableFuture<GetOutcome> asked = connector.get(key, into).toCompletableFuture();
    CompletableFuture<Fetched> told = cancelling(asked);
    asked.whenComplete(
        (outcome, failure) -> {
          if (failure != null) {
            told.completeExceptionally(failure);
          } else if (outcome instanceof GetOutcome.Failed failed) {
            told.completeExceptionally(failed.cause());
          } else if (!told.complete(fetched(outcome)) && outcome instanceof GetOutcome.Hit hit) {
            hit.chunk().close();
          }
        });
    return told;
  }

  private static Fetched fetched(GetOutcome outcome) {
    if (outcome instanceof GetOutcome.Hit hit) {
      return new Fetched.Hit(hit.chunk().metadata(), hit.chunk().payload());
    }
    if (outcome instanceof GetOutcome.Corrupt corrupt) {
      return new Fetched.Corrupt(corrupt.reason());
    }
    if (outcome instanceof GetOutcome.NoMemory none) {
      return new Fetched.NoMemory(none.bytes());
    }
    return new Fetched.Miss();
  }

  /** A future whose cancelling is passed on. */
  private static <T> CompletableFuture<T> cancelling(CompletableFuture<?> asked) {
    CompletableFuture<T> told = new CompletableFuture<>();
    told.whenComplete(
        (value, failure) -> {
          if (told.isCancelled()) {
            asked.cancel(false);
          }
        });
    return told;
  }
}
