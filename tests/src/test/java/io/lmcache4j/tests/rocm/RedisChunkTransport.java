/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm;

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

/**
 * The few lines between {@link io.lmcache4j.rocm.GpuChunks} and a {@link RedisConnector}, which
 * know nothing of each other: an embedder who uses both has them in his own code, as it stands
 * here.
 *
 * <p>Cancelling goes both ways: a chunk that is given up gives up its request, and a payload that
 * arrives all the same is closed.
 */
public final class RedisChunkTransport implements ChunkTransport {

  private final RedisConnector connector;

  /** Borrows the connector. */
  public RedisChunkTransport(RedisConnector connector) {
    this.connector = connector;
  }

  @Override
  public CompletionStage<Void> put(ChunkKey key, RemoteMetadata metadata, ChunkBuffer payload) {
    // The chunk is not closed here: it borrows the caller's reference, and put takes its own.
    CompletableFuture<PutOutcome> asked =
        connector.put(new KvChunk(key, metadata, payload)).toCompletableFuture();
    CompletableFuture<Void> done = new CompletableFuture<>();
    asked.whenComplete(
        (outcome, failure) -> {
          if (failure != null) {
            done.completeExceptionally(failure);
          } else if (outcome instanceof PutOutcome.Failed failed) {
            done.completeExceptionally(failed.cause());
          } else {
            done.complete(null);
          }
        });
    return givingUp(done, asked);
  }

  @Override
  public CompletionStage<Fetched> get(ChunkKey key, HostMemory into) {
    CompletableFuture<GetOutcome> asked = connector.get(key, into).toCompletableFuture();
    CompletableFuture<Fetched> done = new CompletableFuture<>();
    asked.whenComplete(
        (outcome, failure) -> {
          if (failure != null) {
            done.completeExceptionally(failure);
          } else if (outcome instanceof GetOutcome.Failed failed) {
            done.completeExceptionally(failed.cause());
          } else if (outcome instanceof GetOutcome.Hit hit) {
            KvChunk chunk = hit.chunk();
            if (!done.complete(new Fetched.Hit(chunk.metadata(), chunk.payload()))) {
              chunk.close();
            }
          } else {
            done.complete(absence(outcome));
          }
        });
    return givingUp(done, asked);
  }

  private static Fetched absence(GetOutcome outcome) {
    if (outcome instanceof GetOutcome.Corrupt corrupt) {
      return new Fetched.Corrupt(corrupt.reason());
    }
    if (outcome instanceof GetOutcome.NoMemory none) {
      return new Fetched.NoMemory(none.bytes());
    }
    return new Fetched.Miss();
  }

  private static <T> CompletableFuture<T> givingUp(
      CompletableFuture<T> done, CompletableFuture<?> asked) {
    done.whenComplete(
        (value, failure) -> {
          if (done.isCancelled()) {
            asked.cancel(false);
          }
        });
    return done;
  }
}
