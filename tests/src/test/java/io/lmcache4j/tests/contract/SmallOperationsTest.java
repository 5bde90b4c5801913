/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorException;
import io.lmcache4j.redis.RemoteUrl;
import io.lmcache4j.redis.RemoteUrlException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** Lookups, removal, ping, description, databases, executors. */
final class SmallOperationsTest extends ConnectorContract {

  private static final ChunkKey KEY = Samples.key(0x21);

  @Test
  void metadataAloneDecidesWhetherAChunkIsThere() {
    assertThat(connector.sync().exists(KEY)).isFalse();
    raw.set(payload(KEY), Samples.payload());
    assertThat(connector.sync().exists(KEY)).isFalse();
    raw.set(header(KEY), Samples.header());
    raw.call("DEL", payload(KEY));
    assertThat(connector.sync().exists(KEY)).isTrue();
  }

  @Test
  void removingTellsWhetherThereWasAnything() {
    assertThat(connector.sync().remove(KEY)).isFalse();
    stored(KEY);
    stored(Samples.key(1));
    assertThat(connector.sync().remove(KEY)).isTrue();
    assertThat(connector.sync().remove(KEY)).isFalse();
    raw.set(payload(KEY), Samples.payload());
    assertThat(connector.sync().remove(KEY)).isTrue();
    raw.set(header(KEY), Samples.header());
    assertThat(connector.sync().remove(KEY)).isTrue();
    assertThat(raw.keys()).containsExactly(payload(Samples.key(1)), header(Samples.key(1)));
  }

  @Test
  void pingTakesTime() {
    assertThat(connector.sync().ping()).isPositive();
  }

  @Test
  void theDescriptionNamesServerAndTransport() {
    assertThat(connector.info().server()).matches("(redis|valkey) \\d+\\.\\d+\\.\\d+");
    assertThat(connector.info().transport()).isEqualTo("epoll");
    assertThat(connector.info().url()).isEqualTo(variant.bareUrl());
    assertThat(connector.toString()).contains(variant.bareUrl());
  }

  @Test
  void anotherDatabaseIsAnotherDatabase() {
    if (variant.isCluster()) {
      assertThatThrownBy(() -> RemoteUrl.parse(variant.urlOfDatabase(3)))
          .isInstanceOf(RemoteUrlException.class)
          .hasMessageContaining("database 0 only");
      return;
    }
    RedisConnector third = open(options -> options.url(variant.urlOfDatabase(3)));
    assertThat(put(third, KEY, Samples.METADATA, Samples.payload()))
        .isInstanceOf(PutOutcome.Stored.class);
    assertThat(raw.keys()).isEmpty();
    assertThat(get(KEY)).isInstanceOf(GetOutcome.Miss.class);
    assertThat(bytesOf(third.sync().get(KEY))).isEqualTo(Samples.payload());
    raw.call("SELECT", "3");
    assertThat(raw.keys()).containsExactly(payload(KEY), header(KEY));
    raw.call("SELECT", "0");
  }

  @Test
  void theClientsNameIsShown() {
    open(options -> options.clientName("prefill-7"));
    assertThat(raw.masters())
        .extracting(master -> master.text("CLIENT", "LIST"))
        .anyMatch(clients -> clients.contains("name=prefill-7"));
  }

  @Test
  void outcomesAreCompletedOnTheExecutor() {
    ExecutorService executor = Executors.newSingleThreadExecutor(task -> new Thread(task, "mine"));
    try {
      RedisConnector own = open(options -> options.executor(executor));
      stored(KEY);
      CountDownLatch chained = new CountDownLatch(1);
      executor.execute(
          () -> {
            try {
              chained.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
      CompletableFuture<String> thread =
          own.get(KEY)
              .thenApply(
                  outcome -> {
                    bytesOf(outcome);
                    return Thread.currentThread().getName();
                  })
              .toCompletableFuture();
      chained.countDown();
      assertThat(thread.join()).isEqualTo("mine");
      assertThat(own.exists(KEY).toCompletableFuture().join()).isTrue();
    } finally {
      executor.shutdown();
    }
  }

  @Test
  void anExecutorThatRefusesLosesNothing() {
    ExecutorService executor = Executors.newSingleThreadExecutor();
    executor.shutdown();
    RedisConnector own = open(options -> options.executor(executor));
    stored(KEY);
    CompletableFuture<GetOutcome> outcome = own.get(KEY).toCompletableFuture();
    assertThat(outcome).succeedsWithin(Duration.ofSeconds(10));
    assertThat(bytesOf(outcome.join())).isEqualTo(Samples.payload());
  }

  @Test
  void theCallerMayCloseItsChunkAsSoonAsPutReturns() {
    int length = 8 << 20;
    byte[] payload = Samples.pattern(length);
    KvChunk chunk = chunk(KEY, Samples.opaque(length), payload);
    CompletableFuture<PutOutcome> outcome = connector.put(chunk).toCompletableFuture();
    chunk.close();
    assertThat(outcome.join()).isInstanceOf(PutOutcome.Stored.class);
    assertThat(raw.get(payload(KEY))).isEqualTo(payload);
  }

  @Test
  void aRefusalOfTheControlConnectionHasTheServersWords() {
    raw.call("ACL", "SETUSER", "mute", "reset", "on", ">mute", "~*", "+@all", "-exists", "-del");
    try {
      RedisConnector mute = open(options -> options.url(variant.urlAs("mute:mute")));
      assertThatThrownBy(() -> mute.sync().exists(KEY))
          .isInstanceOf(RedisConnectorException.class)
          .hasMessageContaining("NOPERM")
          .hasMessageContaining(KEY.toString());
      assertThatThrownBy(() -> mute.sync().batchedContains(List.of(KEY)))
          .isInstanceOf(RedisConnectorException.class)
          .hasMessageContaining("NOPERM");
      assertThatThrownBy(() -> mute.sync().remove(KEY))
          .isInstanceOf(RedisConnectorException.class)
          .hasMessageContaining("NOPERM");
    } finally {
      raw.call("ACL", "DELUSER", "mute");
    }
  }
}
