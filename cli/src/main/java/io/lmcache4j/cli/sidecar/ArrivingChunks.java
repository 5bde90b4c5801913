/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.RedisConnector;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The chunks of a prompt, each as soon as all workers of its world have it.
 *
 * <p>A prefill instance has answered before its chunks are there: LMCache hands them to an event
 * loop of its own and does not wait ({@code RemoteBackend.batched_submit_put_task} in {@code
 * lmcache/v1/storage_backend/remote_backend.py}, LMCache 0.5.6), and each rank does so for itself.
 * So they are looked up, again and again, until the last is there or none has come for too long.
 *
 * <p>For one thread. It waits in {@link #hasNext}; an interrupt ends the waiting and stays set.
 */
final class ArrivingChunks implements Iterator<ChunkKey> {

  private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
  private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final RedisConnector connector;
  private final List<? extends ChunkKey> chunks;
  private final long storeNanos;
  private final long deadline;
  private int given;
  private int arrived;
  private @Nullable LmcacheException failure;

  /**
   * Begins to wait.
   *
   * @param store how long no further chunk may arrive
   * @param deadline when {@link System#nanoTime} says that it is over in any case
   */
  ArrivingChunks(
      RedisConnector connector, List<? extends ChunkKey> chunks, Duration store, long deadline) {
    this.connector = connector;
    this.chunks = chunks;
    this.storeNanos = store.toNanos();
    this.deadline = deadline;
  }

  @Override
  public boolean hasNext() {
    long lastArrival = System.nanoTime();
    long pause = FIRST_PAUSE_NANOS;
    while (given < chunks.size()) {
      long now = System.nanoTime();
      if (now - deadline >= 0) {
        return false;
      }
      if (given < arrived) {
        return true;
      }
      try {
        arrived +=
            connector.sync().batchedContainsForAllWorkers(chunks.subList(arrived, chunks.size()));
      } catch (LmcacheException e) {
        failure = e;
        return false;
      }
      if (given == arrived) {
        if (now - lastArrival >= storeNanos || !sleep(Math.min(pause, deadline - now))) {
          return false;
        }
        pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
      }
    }
    return false;
  }

  private static boolean sleep(long nanos) {
    try {
      TimeUnit.NANOSECONDS.sleep(nanos);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public ChunkKey next() {
    if (given == arrived) {
      throw new NoSuchElementException();
    }
    return chunks.get(given++);
  }

  /** How many of them all workers have. */
  int arrived() {
    return arrived;
  }

  /** Why they could not be looked up; null if they could. */
  @Nullable LmcacheException failure() {
    return failure;
  }
}
