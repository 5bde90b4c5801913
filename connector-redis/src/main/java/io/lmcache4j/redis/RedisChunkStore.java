/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.store.ChunkStore;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A {@link RedisConnector} as a {@link ChunkStore}, which is what {@code GpuChunks} of {@code
 * native-rocm} puts chunks into.
 *
 * <p>What fails completes exceptionally with the outcome's cause, an {@link
 * io.lmcache4j.core.LmcacheException}. An {@link GetOutcome.Orphan} is a miss. Cancelling a future
 * cancels the connector's operation.
 */
public final class RedisChunkStore implements ChunkStore {

  private final RedisConnector connector;

  /**
   * Borrows a connector.
   *
   * @param connector stays the caller's to close
   */
  public RedisChunkStore(RedisConnector connector) {
    this.connector = Objects.requireNonNull(connector, "connector");
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
              // Nobody waits for it any more.
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
