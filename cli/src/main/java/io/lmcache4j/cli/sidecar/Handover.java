/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.reshard.Resharding;
import io.lmcache4j.core.reshard.World;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.core.token.TokenChunk;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.reshard.ReshardOutcome;
import io.lmcache4j.redis.reshard.Resharder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What lies between prefill and decode: waits for a prompt's chunks, and reshards each as it comes
 * where the two worlds differ. Thread-safe.
 */
final class Handover {

  private static final Logger log = LoggerFactory.getLogger(Handover.class);

  /** Of one prompt; more at one time wait for the server. */
  private static final int AT_ONCE = 2;

  private final RedisConnector connector;
  private final ChunkedTokenDatabase chunks;
  private final @Nullable Resharder resharder;
  private final Duration storeTimeout;
  private final Duration timeout;
  private final SidecarMeters meters;

  /** Chunks that may be resharded at one time, of all prompts: as many as the memory can hold. */
  private final Semaphore room;

  Handover(
      RedisConnector connector,
      SidecarSettings settings,
      ChunkedTokenDatabase chunks,
      SidecarMeters meters,
      Executor copying) {
    this.connector = connector;
    this.chunks = chunks;
    this.storeTimeout = settings.storeTimeout();
    this.timeout = settings.handoverTimeout();
    this.meters = meters;
    Resharding plan = settings.resharding();
    this.resharder = plan == null ? null : new Resharder(connector, plan, copying);
    this.room = new Semaphore(plan == null ? AT_ONCE : Math.max(AT_ONCE, fitting(plan)), true);
  }

  private int fitting(Resharding plan) {
    long bytes = chunks.chunkSize() * (bytesPerToken(plan.from()) + bytesPerToken(plan.to()));
    return (int) Math.min(Integer.MAX_VALUE, connector.memory().capacityBytes() / bytes);
  }

  private static long bytesPerToken(World world) {
    long bytes = 0;
    for (int worker = 0; worker < world.size(); worker++) {
      bytes += world.geometry(worker).bytesPerToken();
    }
    return bytes;
  }

  /**
   * Waits, and reshards.
   *
   * @param prompts the tokens of each
   * @param tags those that LMCache adds to their keys
   * @throws InterruptedException if nobody needs the chunks any more
   */
  void run(List<long[]> prompts, Map<String, String> tags) throws InterruptedException {
    long start = System.nanoTime();
    long deadline = start + timeout.toNanos();
    boolean complete = true;
    ChunkedTokenDatabase tagged = tags.isEmpty() ? chunks : chunks.withTags(tags);
    for (long[] prompt : prompts) {
      List<? extends ChunkKey> keys =
          tagged.processTokens(prompt).stream().map(TokenChunk::key).toList();
      complete &= run(keys, deadline);
    }
    meters.handedOver(complete ? "complete" : "incomplete", System.nanoTime() - start);
  }

  private boolean run(List<? extends ChunkKey> keys, long deadline) throws InterruptedException {
    ArrivingChunks arriving = new ArrivingChunks(connector, keys, storeTimeout, deadline);
    boolean whole = resharder == null ? drain(arriving) : reshard(resharder, arriving, deadline);
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    meters.arrived(arriving.arrived(), keys.size() - arriving.arrived());
    if (arriving.failure() != null) {
      log.warn("chunks cannot be looked up: {}", arriving.failure().getMessage());
    } else if (arriving.arrived() < keys.size()) {
      log.warn(
          "{} of {} chunks of a prompt are there for all workers, missing is {}: decode computes the"
              + " rest itself",
          arriving.arrived(),
          keys.size(),
          keys.get(arriving.arrived()));
    }
    return whole && arriving.arrived() == keys.size();
  }

  private static boolean drain(ArrivingChunks arriving) {
    while (arriving.hasNext()) {
      arriving.next();
    }
    return true;
  }

  private boolean reshard(Resharder with, ArrivingChunks arriving, long deadline)
      throws InterruptedException {
    if (!room.tryAcquire(AT_ONCE, deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
      log.warn("a prompt is not resharded: the memory for it was not free in time");
      return false;
    }
    Count count = new Count();
    try {
      with.reshardAll(arriving, AT_ONCE, count::add);
    } finally {
      room.release(AT_ONCE);
    }
    return count.all;
  }

  private final class Count {

    private boolean all = true;

    void add(ReshardOutcome outcome) {
      meters.resharded(outcome);
      if (outcome instanceof ReshardOutcome.Failed failed) {
        all = false;
        log.warn("a chunk is not resharded: {}", failed.cause().getMessage());
      } else if (outcome instanceof ReshardOutcome.Incomplete incomplete) {
        all = false;
        log.warn(
            "a chunk is not resharded: {} was evicted from workers {}",
            incomplete.key(),
            incomplete.workers());
      }
    }
  }
}
