/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.redis.ConnectorHealth;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KeyPage;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.redis.RequestTimeoutException;
import io.lmcache4j.redis.ServerUnavailableException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A server that stops in its tracks and goes on later: {@code kill -STOP}, {@code kill -CONT}. */
final class FrozenServerTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(1);

  /** Has every operation wait for its own deadline. */
  private static final Duration NEVER = Duration.ofDays(1);

  private static final Duration SOON = Duration.ofMillis(300);

  /** Far above the deadline, far below for ever. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final int LARGE = 16 << 20;

  private static void signal(LocalRedis redis, String signal)
      throws IOException, InterruptedException {
    int status =
        new ProcessBuilder("kill", signal, Long.toString(redis.pid()))
            .inheritIO()
            .start()
            .waitFor();
    assertThat(status).isZero();
  }

  private static KvChunk chunk(DirectMemory memory, ChunkKey key, int length) {
    return new KvChunk(
        key, Samples.opaque(length), Objects.requireNonNull(memory.tryLease(length)));
  }

  private static void timesOut(CompletableFuture<?> operation) {
    assertThat(operation)
        .failsWithin(PATIENCE)
        .withThrowableOfType(ExecutionException.class)
        .withCauseInstanceOf(RequestTimeoutException.class);
  }

  @ParameterizedTest
  @EnumSource
  void everyOperationEndsInTimeAndTheConnectionLivesOn(RedisConnectorOptions.Path path)
      throws Exception {
    ChunkKey present = Samples.key(1);
    try (LocalRedis redis = LocalRedis.start();
        DirectMemory memory = DirectMemory.create(1 << 30);
        RedisConnector connector = open(redis, memory, path, NEVER)) {
      await()
          .atMost(PATIENCE)
          .until(
              () -> {
                try (KvChunk chunk = chunk(memory, present, LARGE)) {
                  return connector.sync().put(chunk) instanceof PutOutcome.Stored;
                }
              });
      signal(redis, "-STOP");
      List<CompletableFuture<PutOutcome>> puts = new ArrayList<>();
      List<CompletableFuture<GetOutcome>> gets = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        try (KvChunk chunk = chunk(memory, Samples.key(100 + i), LARGE)) {
          puts.add(connector.put(chunk).toCompletableFuture());
        }
        gets.add(connector.get(present).toCompletableFuture());
      }
      timesOut(connector.exists(present).toCompletableFuture());
      timesOut(connector.batchedContains(List.of(present)).toCompletableFuture());
      timesOut(connector.remove(Samples.key(2)).toCompletableFuture());
      timesOut(connector.inspect(present).toCompletableFuture());
      timesOut(connector.list(KeyPage.END).toCompletableFuture());
      timesOut(connector.ping().toCompletableFuture());
      for (CompletableFuture<PutOutcome> put : puts) {
        assertThat(put).succeedsWithin(PATIENCE);
        assertThat(((PutOutcome.Failed) put.join()).cause())
            .isInstanceOf(RequestTimeoutException.class);
      }
      for (CompletableFuture<GetOutcome> get : gets) {
        assertThat(get).succeedsWithin(PATIENCE);
        assertThat(((GetOutcome.Failed) get.join()).cause())
            .isInstanceOf(RequestTimeoutException.class);
      }
      assertThat(connector.waitingOperations()).isZero();
      signal(redis, "-CONT");
      await().atMost(PATIENCE).until(() -> memory.leases() == 0);
      await().atMost(PATIENCE).until(() -> connector.inFlightBytes() == 0);
      await()
          .atMost(PATIENCE)
          .until(
              () -> {
                GetOutcome outcome = connector.sync().get(present);
                return outcome instanceof GetOutcome.Hit
                    && Contract.bytesOf(outcome).length == LARGE;
              });
      assertThat(connector.sync().exists(present)).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void closingDoesNotWaitForEver(RedisConnectorOptions.Path path) throws Exception {
    try (LocalRedis redis = LocalRedis.start();
        DirectMemory memory = DirectMemory.create(1 << 30)) {
      RedisConnector connector = open(redis, memory, path, NEVER);
      signal(redis, "-STOP");
      CompletableFuture<PutOutcome> put;
      try (KvChunk chunk = chunk(memory, Samples.key(1), LARGE)) {
        put = connector.put(chunk).toCompletableFuture();
      }
      CompletableFuture<Boolean> lookup = connector.exists(Samples.key(1)).toCompletableFuture();
      assertThat(connector.closeAsync().toCompletableFuture()).succeedsWithin(PATIENCE);
      assertThat(put).isCompleted();
      assertThat(put.join()).isInstanceOf(PutOutcome.Failed.class);
      assertThat(lookup).isCompletedExceptionally();
      await().atMost(PATIENCE).until(() -> memory.leases() == 0);
      signal(redis, "-CONT");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aSilentServerIsNotWaitedForUntilItAnswers(RedisConnectorOptions.Path path) throws Exception {
    ChunkKey present = Samples.key(1);
    try (LocalRedis redis = LocalRedis.start();
        DirectMemory memory = DirectMemory.create(1 << 30);
        RedisConnector connector =
            RedisConnector.open(
                RedisConnectorOptions.builder(redis.url())
                    .path(path)
                    .memory(memory)
                    .timeout(Duration.ofMinutes(5))
                    .unavailableAfter(SOON)
                    .inFlightBytes(LARGE)
                    .build())) {
      try (KvChunk chunk = chunk(memory, present, LARGE)) {
        assertThat(connector.sync().put(chunk)).isInstanceOf(PutOutcome.Stored.class);
      }
      assertThat(connector.health().status()).isEqualTo(ConnectorHealth.Status.UP);
      signal(redis, "-STOP");
      CompletableFuture<GetOutcome> sent = connector.get(present).toCompletableFuture();
      CompletableFuture<GetOutcome> waiting = connector.get(present).toCompletableFuture();
      assertThat(waiting).succeedsWithin(PATIENCE);
      isUnavailable(((GetOutcome.Failed) waiting.join()).cause());
      assertThat(connector.health().status()).isEqualTo(ConnectorHealth.Status.DOWN);
      assertThat(connector.health().problems())
          .anyMatch(problem -> problem.contains("has not answered for"));
      // None of these would end before the test's own patience does, were they sent.
      isUnavailable(((GetOutcome.Failed) connector.sync().get(present)).cause());
      try (KvChunk chunk = chunk(memory, Samples.key(2), 1)) {
        isUnavailable(((PutOutcome.Failed) connector.sync().put(chunk)).cause());
      }
      for (CompletableFuture<?> call :
          List.of(
              connector.exists(present).toCompletableFuture(),
              connector.batchedContains(List.of(present)).toCompletableFuture(),
              connector.remove(present).toCompletableFuture(),
              connector.inspect(present).toCompletableFuture())) {
        assertThat(call)
            .failsWithin(PATIENCE)
            .withThrowableOfType(ExecutionException.class)
            .withCauseInstanceOf(ServerUnavailableException.class);
      }
      signal(redis, "-CONT");
      await()
          .atMost(PATIENCE)
          .until(() -> connector.health().status() == ConnectorHealth.Status.UP);
      // What had been sent before is answered as if nothing had been.
      assertThat(sent).succeedsWithin(PATIENCE);
      assertThat(ConnectorContract.bytesOf(sent.join())).hasSize(LARGE);
      assertThat(connector.sync().exists(present)).isTrue();
    }
  }

  private static void isUnavailable(Throwable cause) {
    assertThat(cause).isInstanceOf(ServerUnavailableException.class);
  }

  @ParameterizedTest
  @EnumSource
  void aSilentServerDoesNotKeepTheMemoryOfWhoseTimeIsUp(RedisConnectorOptions.Path path)
      throws Exception {
    try (LocalRedis redis = LocalRedis.start();
        DirectMemory memory = DirectMemory.create(1 << 30);
        RedisConnector connector = open(redis, memory, path, SOON)) {
      signal(redis, "-STOP");
      CompletableFuture<PutOutcome> put;
      // More than the kernel's buffers take.
      try (KvChunk chunk = chunk(memory, Samples.key(1), 4 * LARGE)) {
        put = connector.put(chunk).toCompletableFuture();
      }
      assertThat(put).succeedsWithin(PATIENCE);
      assertThat(put.join()).isInstanceOf(PutOutcome.Failed.class);
      await().atMost(PATIENCE).until(() -> memory.leases() == 0);
      await().atMost(PATIENCE).until(() -> connector.inFlightBytes() == 0);
      signal(redis, "-CONT");
      await()
          .atMost(PATIENCE)
          .until(
              () -> {
                try (KvChunk chunk = chunk(memory, Samples.key(1), LARGE)) {
                  return connector.sync().put(chunk) instanceof PutOutcome.Stored;
                }
              });
    }
  }

  private static RedisConnector open(
      LocalRedis redis,
      DirectMemory memory,
      RedisConnectorOptions.Path path,
      Duration unavailableAfter) {
    return RedisConnector.open(
        RedisConnectorOptions.builder(redis.url())
            .path(path)
            .memory(memory)
            .timeout(TIMEOUT)
            .closeTimeout(TIMEOUT)
            .unavailableAfter(unavailableAfter)
            .build());
  }
}
