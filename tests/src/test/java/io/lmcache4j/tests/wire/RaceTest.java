/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
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
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Gets and puts that are given up at a random moment, while others wait for their memory. A get
 * must never write into memory that is no longer its own; a put must never send bytes that are no
 * longer its own. The same races are run with careless code, to show that they are won now and
 * then.
 */
class RaceTest {

  private static final int ROUNDS = Integer.getInteger("lmcache4j.race.rounds", 700);

  /**
   * More than a unix socket takes at once (208 KiB), so that a part of each payload waits in Netty.
   */
  private static final int BYTES = 256 << 10;

  /** Gets and puts at one time. */
  private static final int WINDOW = 4;

  /** Little beyond, so that what is given back has another holder soon. */
  private static final int CHUNKS = WINDOW + 2;

  private static final CacheEngineKey KEY = CacheEngineKey.of("m", 1, 0, 1, DType.BFLOAT16);
  private static final RemoteMetadata METADATA =
      RemoteMetadata.of(MemoryFormat.BINARY_BUFFER, Shape.of(BYTES), DType.NONE);

  private static LocalRedis redis;

  private final DirectMemory memory = DirectMemory.create((long) CHUNKS * BYTES);
  private final long seed = Long.getLong("lmcache4j.race.seed", System.nanoTime());
  private final Random random = new Random(seed);

  RaceTest() {
    System.out.println("race seed " + seed + ", " + ROUNDS + " rounds");
  }

  @BeforeAll
  static void start() {
    redis = LocalRedis.builder().unixSocket().start();
  }

  @AfterAll
  static void stop() {
    redis.close();
  }

  @AfterEach
  void nothingIsLeft() {
    assertThat(memory.leases()).isZero();
    memory.close();
  }

  @ParameterizedTest
  @EnumSource
  void aGetThatIsCancelledNeverWritesIntoMemoryOfOthers(RedisConnectorOptions.Path path)
      throws Exception {
    int cancelled = 0;
    int hits = 0;
    try (RedisConnector connector = connect(path, Duration.ofSeconds(20));
        Squatters squatters = new Squatters(memory, BYTES, 2)) {
      store(connector);
      for (int round = 0; round < ROUNDS; round++) {
        List<CompletableFuture<GetOutcome>> gets = new ArrayList<>();
        for (int i = 0; i < WINDOW; i++) {
          gets.add(connector.get(KEY).toCompletableFuture());
        }
        pause();
        for (CompletableFuture<GetOutcome> get : gets) {
          if (random.nextInt(4) > 0) {
            get.cancel(false);
          }
        }
        for (CompletableFuture<GetOutcome> get : gets) {
          if (get.isCancelled()) {
            cancelled++;
          } else if (received(get.join())) {
            hits++;
          }
        }
      }
      nothingInFlight(connector);
      assertThat(squatters.disturbed()).as("seed %d", seed).isZero();
      assertThat(squatters.leases()).isPositive();
    }
    assertThat(cancelled).isPositive();
    assertThat(hits).isPositive();
  }

  @ParameterizedTest
  @EnumSource
  void aGetThatTimesOutNeverWritesIntoMemoryOfOthers(RedisConnectorOptions.Path path)
      throws Exception {
    try (RedisConnector patient = connect(path, Duration.ofSeconds(20))) {
      store(patient);
    }
    try (RedisConnector connector = connect(path, Duration.ofMillis(1));
        Squatters squatters = new Squatters(memory, BYTES, 2)) {
      // The clock of deadlines ticks every 100 ms: some dozens at a time are caught wherever they
      // are.
      for (int round = 0; round < Math.max(1, ROUNDS / 100); round++) {
        List<CompletableFuture<GetOutcome>> gets = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
          gets.add(connector.get(KEY).toCompletableFuture());
        }
        for (CompletableFuture<GetOutcome> get : gets) {
          received(get.join());
        }
      }
      nothingInFlight(connector);
      assertThat(squatters.disturbed()).as("seed %d", seed).isZero();
    }
  }

  private static boolean received(GetOutcome outcome) {
    if (!(outcome instanceof GetOutcome.Hit hit)) {
      assertThat(outcome).isInstanceOfAny(GetOutcome.NoMemory.class, GetOutcome.Failed.class);
      return false;
    }
    try (KvChunk chunk = hit.chunk()) {
      assertThat(Words.isSent(Words.only(chunk.payload().nio()))).isTrue();
    }
    return true;
  }

  @ParameterizedTest
  @EnumSource
  void aPutThatIsCancelledStoresItsBytesOrNone(RedisConnectorOptions.Path path) throws Exception {
    int cancelled = 0;
    int stored = 0;
    try (RedisConnector connector = connect(path, Duration.ofSeconds(20));
        PlainRedis plain = new PlainRedis(redis.url());
        Squatters squatters = new Squatters(memory, BYTES, 1)) {
      store(connector);
      for (int round = 0; round < ROUNDS; round++) {
        List<CompletableFuture<PutOutcome>> puts = new ArrayList<>();
        for (int i = 0; i < WINDOW; i++) {
          try (KvChunk chunk = chunk(Words.SENT + (long) round * WINDOW + i)) {
            puts.add(connector.put(chunk).toCompletableFuture());
          }
        }
        pause();
        for (CompletableFuture<PutOutcome> put : puts) {
          if (random.nextInt(4) > 0) {
            put.cancel(false);
          }
        }
        for (CompletableFuture<PutOutcome> put : puts) {
          if (put.isCancelled()) {
            cancelled++;
          } else {
            assertThat(put.join()).isInstanceOf(PutOutcome.Stored.class);
            stored++;
          }
        }
        nothingInFlight(connector);
        assertThat(Words.isSent(Words.only(plain.get(payloadKey()))))
            .as("round %d of seed %d", round, seed)
            .isTrue();
      }
      assertThat(squatters.disturbed()).isZero();
    }
    assertThat(cancelled).isPositive();
    assertThat(stored).isPositive();
  }

  @Test
  void aCarelessGetIsFoundOut() throws Exception {
    try (RedisConnector connector =
        connect(RedisConnectorOptions.Path.AUTO, Duration.ofSeconds(20))) {
      store(connector);
    }
    List<ChunkBuffer> ballast = List.of(lease(), lease(), lease());
    try (CarelessClient careless = new CarelessClient(redis.url());
        Squatters squatters = new Squatters(memory, BYTES, 2)) {
      for (int round = 0; round < 100 * ROUNDS && squatters.disturbed() == 0; round++) {
        ChunkBuffer lease = lease();
        CompletableFuture<?> get = careless.get(payloadKey(), lease);
        pause();
        get.cancel(false);
        // A future that is done says nothing of the reply, which is still to come.
        lease.release();
        pause();
      }
      assertThat(squatters.disturbed()).as("seed %d", seed).isPositive();
    }
    ballast.forEach(ChunkBuffer::release);
  }

  @Test
  void aCarelessPutIsFoundOut() throws Exception {
    boolean mixed = false;
    try (CarelessClient careless = new CarelessClient(redis.unixUrl());
        PlainRedis plain = new PlainRedis(redis.url());
        Squatters squatters = new Squatters(memory, BYTES, 1)) {
      for (int round = 0; round < 100 * ROUNDS && !mixed; round++) {
        ChunkBuffer lease = lease();
        Words.fill(lease.nio(), Words.SENT + round);
        CompletableFuture<?> put = careless.put(payloadKey(), lease);
        pause();
        put.cancel(false);
        // Nor does it say that the bytes have left.
        lease.release();
        careless.ping();
        pause();
        byte[] there = plain.getOrNull(payloadKey());
        mixed = there != null && !Words.isSent(Words.only(ByteBuffer.wrap(there)));
      }
      assertThat(mixed).as("seed %d", seed).isTrue();
      assertThat(squatters.leases()).isPositive();
    }
  }

  /** Up to about the time that a few payloads take. */
  private void pause() {
    long until = System.nanoTime() + random.nextInt(400_000);
    while (System.nanoTime() < until) {
      Thread.onSpinWait();
    }
  }

  private RedisConnector connect(RedisConnectorOptions.Path path, Duration timeout) {
    return RedisConnector.open(
        RedisConnectorOptions.builder(redis.unixUrl())
            .path(path)
            .memory(memory)
            .timeout(timeout)
            .dataConnections(1)
            .build());
  }

  private void store(RedisConnector connector) {
    try (KvChunk chunk = chunk(Words.SENT)) {
      assertThat(connector.sync().put(chunk)).isInstanceOf(PutOutcome.Stored.class);
    }
  }

  private static String payloadKey() {
    return "m@1@0@1@bfloat16kv_bytes";
  }

  private KvChunk chunk(long word) {
    ChunkBuffer payload = lease();
    Words.fill(payload.nio(), word);
    return new KvChunk(KEY, METADATA, payload);
  }

  private ChunkBuffer lease() {
    while (true) {
      ChunkBuffer lease = memory.tryLease(BYTES);
      if (lease != null) {
        return lease;
      }
      LockSupport.parkNanos(1_000);
    }
  }

  private static void nothingInFlight(RedisConnector connector) {
    while (connector.inFlightBytes() > 0) {
      Thread.onSpinWait();
    }
  }
}
