/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.micrometer.ConnectorMeters;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What happens on a real server arrives in the meters. */
final class MetersTest {

  private static final ChunkKey KEY = Samples.key(1);
  private static final int LENGTH = 1 << 20;

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  @Test
  void everyOperationAndEveryByteIsCounted() {
    ConnectorMeters meters = new ConnectorMeters(registry, Tags.empty());
    try (LocalRedis redis = LocalRedis.start();
        DirectMemory memory = DirectMemory.create(1 << 26);
        RedisConnector connector =
            RedisConnector.open(
                RedisConnectorOptions.builder(redis.url())
                    .memory(memory)
                    .listener(meters)
                    .build())) {
      meters.watch(connector);
      try (KvChunk chunk =
          new KvChunk(
              KEY, Samples.opaque(LENGTH), Objects.requireNonNull(memory.tryLease(LENGTH)))) {
        assertThat(connector.sync().put(chunk)).isInstanceOf(PutOutcome.Stored.class);
      }
      assertThat(connector.sync().get(Samples.key(2))).isInstanceOf(GetOutcome.Miss.class);
      GetOutcome hit = connector.sync().get(KEY);
      assertThat(gauge("lmcache.memory.leases")).isEqualTo(1);
      assertThat(gauge("lmcache.memory.leased")).isGreaterThanOrEqualTo(LENGTH);
      ((GetOutcome.Hit) hit).chunk().close();
      assertThat(connector.sync().exists(KEY)).isTrue();
      assertThat(connector.sync().batchedContains(List.of(KEY))).isEqualTo(1);
      connector.sync().inspect(KEY);
      connector.sync().ping();
      assertThat(connector.sync().list()).hasSize(1);
      connector.sync().remove(KEY);
      for (String operation :
          List.of("put", "get", "exists", "lookup", "inspect", "ping", "list", "remove")) {
        assertThat(count(operation, "ok")).as(operation).isEqualTo(1);
      }
      assertThat(count("get", "miss")).isEqualTo(1);
      for (String operation : List.of("put", "get")) {
        assertThat(registry.get("lmcache.payload").tags("operation", operation).counter().count())
            .isEqualTo(LENGTH);
      }
      assertThat(wire("out", "direct") + wire("out", "copied")).isEqualTo(LENGTH);
      assertThat(wire("in", "direct") + wire("in", "copied")).isEqualTo(LENGTH);
      // The last bytes of an operation may leave after its outcome.
      await().until(() -> gauge("lmcache.in.flight") == 0);
      assertThat(registry.get("lmcache.connections.opened").counter().count())
          .isEqualTo(1 + connector.info().dataConnections());
    }
    assertThat(registry.get("lmcache.connections.closed").counter().count())
        .isEqualTo(registry.get("lmcache.connections.opened").counter().count());
  }

  private double gauge(String name) {
    return registry.get(name).gauge().value();
  }

  private long count(String operation, String result) {
    return registry
        .get("lmcache.operations")
        .tags("operation", operation, "result", result)
        .timer()
        .count();
  }

  private double wire(String direction, String path) {
    return registry
        .get("lmcache.wire")
        .tags("direction", direction, "path", path)
        .functionCounter()
        .count();
  }
}
