/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorException;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.tests.servers.Program;
import io.lmcache4j.tests.servers.RawConnection;
import io.lmcache4j.tests.servers.RawRedis;
import io.lmcache4j.tests.servers.SentinelServers;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Sentinel makes the replica the master: because it was told to, and because the master is gone.
 * What was there is there, writes go to the new master, and nothing in between is a wrong byte.
 *
 * <p>A failover takes seconds, so connectors of both paths go through the same one. The old master,
 * if it lives, takes writes until Sentinel makes it a replica and hangs up for it, some eight
 * seconds later: those writes are lost, as Sentinel's documentation says of any client.
 */
final class SentinelFailoverTest {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final Program PROGRAM = Program.of(null);
  private static final ChunkKey BEFORE = Samples.key(1);

  @Test
  void afterAFailoverThatWasAskedFor() {
    follows(
        servers -> {
          try (RawConnection sentinel = servers.sentinel()) {
            sentinel.call("SENTINEL", "FAILOVER", SentinelServers.SERVICE);
          }
        });
  }

  @Test
  void afterTheMasterWasKilled() {
    follows(
        servers ->
            assertThat(ProcessHandle.of(servers.servers().get(0).pid()))
                .hasValueSatisfying(master -> assertThat(master.destroyForcibly()).isTrue()));
  }

  private interface Failure {

    void happensTo(SentinelServers servers);
  }

  private static void follows(Failure failure) {
    try (SentinelServers servers = SentinelServers.start(PROGRAM, false);
        DirectMemory memory = DirectMemory.create(1 << 20);
        RedisConnector zeroCopy = open(servers, memory, RedisConnectorOptions.Path.AUTO);
        RedisConnector copying = open(servers, memory, RedisConnectorOptions.Path.COPY)) {
      assertThat(put(zeroCopy, memory, BEFORE)).isInstanceOf(PutOutcome.Stored.class);
      int oldMaster = servers.masterPort();
      try (RawRedis master = servers.raw()) {
        // Or the replica may not have it yet when it has to stand in.
        assertThat(master.masters().get(0).call("WAIT", 1, 10_000)).isEqualTo(1L);
      }
      failure.happensTo(servers);
      AtomicInteger number = new AtomicInteger(1000);
      for (RedisConnector connector : List.of(zeroCopy, copying)) {
        await()
            .pollInterval(Duration.ofMillis(20))
            .atMost(PATIENCE)
            .until(
                () -> {
                  hitOrFailure(connector.sync().get(BEFORE));
                  ChunkKey key = Samples.key(number.incrementAndGet());
                  return put(connector, memory, key) instanceof PutOutcome.Stored
                      && servers.masterPort() != oldMaster
                      && isThere(servers, key);
                });
        await()
            .atMost(PATIENCE)
            .until(
                () -> connector.sync().get(BEFORE) instanceof GetOutcome.Hit hit && isRight(hit));
        // Lookups have a connection of their own, which finds its way by itself.
        await()
            .atMost(PATIENCE)
            .ignoreExceptionsInstanceOf(RedisConnectorException.class)
            .until(() -> connector.sync().exists(BEFORE));
      }
      await()
          .until(
              () ->
                  memory.leases() == 0
                      && zeroCopy.inFlightBytes() == 0
                      && copying.inFlightBytes() == 0);
    }
  }

  private static RedisConnector open(
      SentinelServers servers, DirectMemory memory, RedisConnectorOptions.Path path) {
    return RedisConnector.open(
        RedisConnectorOptions.builder("redis-sentinel://" + servers.host())
            .path(path)
            .memory(memory)
            .timeout(Duration.ofSeconds(2))
            .build());
  }

  private static boolean isRight(GetOutcome.Hit hit) {
    assertThat(Contract.bytesOf(hit)).isEqualTo(Samples.payload());
    return true;
  }

  private static void hitOrFailure(GetOutcome outcome) {
    if (outcome instanceof GetOutcome.Hit hit) {
      assertThat(isRight(hit)).isTrue();
    } else {
      assertThat(outcome).isInstanceOf(GetOutcome.Failed.class);
    }
  }

  private static boolean isThere(SentinelServers servers, ChunkKey key) {
    try (RawRedis master = servers.raw()) {
      return master.has(key + "metadata") && master.has(key + "kv_bytes");
    }
  }

  private static PutOutcome put(RedisConnector connector, DirectMemory memory, ChunkKey key) {
    try (KvChunk chunk =
        new KvChunk(
            key, Samples.METADATA, Objects.requireNonNull(memory.tryLease(Samples.BYTES)))) {
      chunk.payload().nio().put(Samples.payload());
      return connector.sync().put(chunk);
    }
  }
}
