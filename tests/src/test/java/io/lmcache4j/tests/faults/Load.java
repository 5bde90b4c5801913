/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheException;
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
import io.lmcache4j.redis.RequestTimeoutException;
import io.lmcache4j.redis.ServerUnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntUnaryOperator;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Threads that put and get at random until they are stopped. Each key has one length, so that a
 * header and a payload of two of its writers still agree; which payload it is, is left open.
 */
final class Load implements AutoCloseable {

  static final String STORED = "stored";
  static final String HIT = "hit";
  static final String MISS = "miss";
  static final String ORPHAN = "orphan";
  static final String CORRUPT = "corrupt";

  /** What is refused or not sent is tried again at once; the CPU is not the thing to test. */
  private static final int PAUSE_MILLIS = 5;

  private static final Pattern REFUSED = Pattern.compile("the server refused: (\\w+)");

  private static final AtomicInteger WRITERS = new AtomicInteger();

  private final RedisConnector connector;
  private final DirectMemory memory;
  private final String model;
  private final List<ChunkKey> keys = new ArrayList<>();
  private final IntUnaryOperator lengths;
  private final Tally tally = new Tally();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopped;
  private volatile @Nullable Throwable broken;

  /**
   * Prepares threads.
   *
   * @param model a model of its own, so that no other load touches its keys
   * @param keys how many keys there are
   * @param lengths the payload's length for each
   */
  Load(
      RedisConnector connector,
      DirectMemory memory,
      String model,
      int keys,
      IntUnaryOperator lengths) {
    this.connector = connector;
    this.memory = memory;
    this.model = model;
    this.lengths = lengths;
    for (int i = 0; i < keys; i++) {
      this.keys.add(key(i));
    }
  }

  /** Takes others of this model's keys, as many as before, namely the first that are fit. */
  void onlyKeys(Predicate<ChunkKey> fit) {
    int count = keys.size();
    keys.clear();
    for (int i = 0; keys.size() < count; i++) {
      if (fit.test(key(i))) {
        keys.add(key(i));
      }
    }
  }

  void start(int count, long seed) {
    for (int i = 0; i < count; i++) {
      int writer = WRITERS.incrementAndGet();
      Random random = new Random(seed + i);
      Thread thread = new Thread(() -> run(writer, random), "load-" + model + "-" + i);
      threads.add(thread);
      thread.start();
    }
  }

  Tally tally() {
    return tally;
  }

  /** A key of this load's model. */
  ChunkKey key(long index) {
    return CacheEngineKey.of(model, 1, 0, index, DType.BFLOAT16);
  }

  static RemoteMetadata opaque(int length) {
    return RemoteMetadata.of(MemoryFormat.BINARY_BUFFER, Shape.of(length), DType.NONE);
  }

  @SuppressWarnings("Interruption") // Nothing here is interrupted; only an end to it is needed.
  private void run(int writer, Random random) {
    try {
      int serial = 0;
      while (!stopped) {
        int index = random.nextInt(keys.size());
        boolean success = random.nextBoolean() ? put(index, writer, serial++) : get(index);
        if (!success) {
          Thread.sleep(PAUSE_MILLIS);
        }
      }
    } catch (Throwable e) {
      broken = e;
    }
  }

  private boolean put(int index, int writer, int serial) {
    int length = lengths.applyAsInt(index);
    ChunkBuffer lease = memory.tryLease(length);
    if (lease == null) {
      return false;
    }
    Payload.fill(lease.nio(), index, writer, serial);
    long startedAt = System.nanoTime();
    PutOutcome outcome;
    try (KvChunk chunk = new KvChunk(keys.get(index), opaque(length), lease)) {
      outcome = connector.sync().put(chunk);
    }
    boolean stored = outcome instanceof PutOutcome.Stored;
    String words = outcome instanceof PutOutcome.Failed failed ? words(failed.cause()) : STORED;
    tally.add(Tally.Kind.PUT, words, startedAt, stored);
    return stored;
  }

  /** Gets a chunk and looks at every byte; whether it was there. */
  boolean get(int index) {
    ChunkKey key = keys.get(index);
    long startedAt = System.nanoTime();
    GetOutcome outcome = connector.sync().get(key, memory);
    boolean hit = outcome instanceof GetOutcome.Hit;
    tally.add(Tally.Kind.GET, words(outcome), startedAt, hit);
    if (outcome instanceof GetOutcome.Hit got) {
      try (KvChunk chunk = got.chunk()) {
        int wrong = Payload.wrongBytes(chunk.payload().nio(), index);
        if (wrong > 0 || chunk.payload().length() != lengths.applyAsInt(index)) {
          tally.wrong(Math.max(1, wrong), wrong + " of " + chunk.payload().length() + " of " + key);
        }
      }
    }
    return hit;
  }

  private static String words(GetOutcome outcome) {
    if (outcome instanceof GetOutcome.Failed failed) {
      return words(failed.cause());
    }
    if (outcome instanceof GetOutcome.Hit) {
      return HIT;
    }
    if (outcome instanceof GetOutcome.Miss) {
      return MISS;
    }
    if (outcome instanceof GetOutcome.Orphan) {
      return ORPHAN;
    }
    return outcome instanceof GetOutcome.Corrupt ? CORRUPT : "no memory";
  }

  static String words(LmcacheException cause) {
    if (cause instanceof RequestTimeoutException) {
      return "timed out";
    }
    if (cause instanceof ServerUnavailableException) {
      return "not sent";
    }
    Matcher refused = REFUSED.matcher(String.valueOf(cause.getMessage()));
    return refused.find() ? "refused " + refused.group(1) : "connection lost";
  }

  /** Stops the threads; whatever one of them threw is thrown again. */
  @Override
  public void close() {
    stopped = true;
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted before the load had ended", e);
    }
    Throwable thrown = broken;
    if (thrown != null) {
      throw new AssertionError("a put or a get threw", thrown);
    }
  }
}
