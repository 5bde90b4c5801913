/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.reshard;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.reshard.Resharding;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes the chunks that the workers of one world need from those that another has written. Each
 * source chunk is read once and each target chunk written once; what a target worker has already is
 * not written again, so a job that was broken off is simply run again.
 *
 * <p>The wire is LMCache's own: same chunk hash, dtype and tags, world size and worker of the new
 * world. Whole chunks, short ones too, and single layers.
 *
 * <p>While a chunk is under way the connector's memory holds its sources and targets, twice the
 * whole chunk at most. Thread-safe; the connector stays the caller's.
 */
public final class Resharder {

  private final RedisConnector connector;
  private final Resharding plan;
  private final Executor copying;

  /**
   * Prepares a job.
   *
   * @param connector to the cache that has the chunks, with memory for those under way
   * @param plan from which world to which
   * @param copying where payloads are cut up and joined: milliseconds for each, which an event loop
   *     has not
   */
  public Resharder(RedisConnector connector, Resharding plan, Executor copying) {
    this.connector = connector;
    this.plan = plan;
    this.copying = copying;
  }

  /**
   * Reshards chunks one behind the other, some at once, and waits for the last.
   *
   * @param chunks any worker's key of each chunk; taken only as fast as they are done
   * @param atOnce how many are under way at one time
   * @param outcomes told of each, by one thread at a time
   * @throws InterruptedException if the caller is interrupted; what is under way goes on
   */
  public void reshardAll(
      Iterator<? extends ChunkKey> chunks, int atOnce, Consumer<ReshardOutcome> outcomes)
      throws InterruptedException {
    Semaphore room = new Semaphore(atOnce);
    while (chunks.hasNext()) {
      ChunkKey chunk = chunks.next();
      room.acquire();
      reshard(chunk)
          .whenComplete(
              (outcome, impossible) -> {
                try {
                  if (outcome != null) {
                    synchronized (outcomes) {
                      outcomes.accept(outcome);
                    }
                  }
                } finally {
                  room.release();
                }
              });
    }
    room.acquire(atOnce);
  }

  /**
   * Reshards one chunk.
   *
   * @param chunk its key, any worker's
   * @return the outcome; never completes exceptionally
   */
  public CompletionStage<ReshardOutcome> reshard(ChunkKey chunk) {
    ChunkKey key = in(chunk, plan.from().size(), 0);
    return missing(key)
        .thenCompose(
            targets ->
                targets.isEmpty()
                    ? CompletableFuture.completedFuture(new ReshardOutcome.Present(key))
                    : write(key, targets))
        .exceptionally(failure -> new ReshardOutcome.Failed(key, known(key, failure)));
  }

  private static LmcacheException known(ChunkKey key, Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause instanceof LmcacheException lmcache
        ? lmcache
        : new ReshardException(key, String.valueOf(cause), cause);
  }

  private static ChunkKey in(ChunkKey key, int worldSize, int worker) {
    if (key instanceof LayerCacheEngineKey layer) {
      return new LayerCacheEngineKey(
          (CacheEngineKey) in(layer.chunk(), worldSize, worker), layer.layerId());
    }
    return new CacheEngineKey(
        key.modelName(), worldSize, worker, key.chunkHash(), key.dtype(), key.tags());
  }

  private ChunkKey target(ChunkKey key, int worker) {
    return in(key, plan.to().size(), worker);
  }

  /** The target workers that have not got the chunk. */
  private CompletableFuture<List<Integer>> missing(ChunkKey key) {
    List<CompletableFuture<Boolean>> lookups = new ArrayList<>();
    for (int worker = 0; worker < plan.to().size(); worker++) {
      lookups.add(connector.exists(target(key, worker)).toCompletableFuture());
    }
    return CompletableFuture.allOf(lookups.toArray(CompletableFuture[]::new))
        .thenApply(
            v -> {
              List<Integer> workers = new ArrayList<>();
              for (int worker = 0; worker < lookups.size(); worker++) {
                if (!lookups.get(worker).join()) {
                  workers.add(worker);
                }
              }
              return workers;
            });
  }

  private CompletionStage<ReshardOutcome> write(ChunkKey key, List<Integer> targets) {
    Set<Integer> needed = new TreeSet<>();
    targets.forEach(worker -> needed.addAll(plan.sourcesOf(worker)));
    List<Integer> workers = List.copyOf(needed);
    List<ChunkKey> keys = workers.stream().map(worker -> key.withWorkerId(worker)).toList();
    return connector
        .batchedGet(keys)
        .thenComposeAsync(
            outcomes -> {
              try {
                return join(key, targets, workers, outcomes);
              } finally {
                close(outcomes);
              }
            },
            copying);
  }

  private static void close(List<GetOutcome> outcomes) {
    for (GetOutcome outcome : outcomes) {
      if (outcome instanceof GetOutcome.Hit hit) {
        hit.chunk().close();
      }
    }
  }

  private CompletionStage<ReshardOutcome> join(
      ChunkKey key, List<Integer> targets, List<Integer> workers, List<GetOutcome> outcomes) {
    Set<Integer> absent = new TreeSet<>();
    Sources sources = new Sources(key, plan.from());
    for (int i = 0; i < workers.size(); i++) {
      GetOutcome outcome = outcomes.get(i);
      if (outcome instanceof GetOutcome.Hit hit) {
        sources.add(workers.get(i), hit.chunk());
      } else if (outcome instanceof GetOutcome.Miss || outcome instanceof GetOutcome.Orphan) {
        absent.add(workers.get(i));
      } else {
        throw refusal(outcome);
      }
    }
    if (!absent.isEmpty()) {
      return CompletableFuture.completedFuture(new ReshardOutcome.Incomplete(key, absent));
    }
    List<KvChunk> chunks = new ArrayList<>();
    try {
      for (int worker : targets) {
        chunks.add(chunk(target(key, worker), worker, sources));
      }
      return connector
          .batchedPut(chunks)
          .thenApply(stored -> outcome(key, targets, sources.bytes(), stored));
    } finally {
      chunks.forEach(KvChunk::close);
    }
  }

  private static LmcacheException refusal(GetOutcome outcome) {
    if (outcome instanceof GetOutcome.Failed failed) {
      return failed.cause();
    }
    if (outcome instanceof GetOutcome.NoMemory none) {
      return new ReshardException(none.key(), "no memory for its " + none.bytes() + " bytes", null);
    }
    return new ReshardException(outcome.key(), outcome.toString(), null);
  }

  private KvChunk chunk(ChunkKey target, int worker, Sources sources) {
    RemoteMetadata metadata = sources.describe(plan.to().geometry(worker));
    KvChunk chunk = new KvChunk(target, metadata, lease(target, metadata.length()));
    try {
      for (int source : plan.sourcesOf(worker)) {
        sources.copy(plan, source, worker, chunk.payload());
      }
      return chunk;
    } catch (RuntimeException e) {
      chunk.close();
      throw e;
    }
  }

  private ChunkBuffer lease(ChunkKey target, long bytes) {
    HostMemory memory = connector.memory();
    ChunkBuffer lease = memory.tryLease((int) bytes);
    if (lease == null) {
      throw new ReshardException(
          target,
          "no memory for its "
              + bytes
              + " bytes: "
              + memory.leasedBytes()
              + " of "
              + memory.capacityBytes()
              + " are leased",
          null);
    }
    return lease;
  }

  private static ReshardOutcome outcome(
      ChunkKey key, List<Integer> targets, long readBytes, List<PutOutcome> stored) {
    long written = 0;
    for (PutOutcome outcome : stored) {
      if (outcome instanceof PutOutcome.Failed failed) {
        return new ReshardOutcome.Failed(key, failed.cause());
      }
      written += ((PutOutcome.Stored) outcome).payloadBytes();
    }
    return new ReshardOutcome.Written(key, targets, readBytes, written);
  }

  /** A chunk cannot be resharded. */
  static final class ReshardException extends LmcacheException {

    private static final long serialVersionUID = 1L;

    ReshardException(ChunkKey key, String reason, @Nullable Throwable cause) {
      super("reshard " + key + ": " + reason, cause);
    }
  }
}
