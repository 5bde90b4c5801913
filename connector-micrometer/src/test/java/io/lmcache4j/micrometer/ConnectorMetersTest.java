/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.redis.OperationEvent;
import io.lmcache4j.redis.OperationEvent.Kind;
import io.lmcache4j.redis.OperationEvent.Result;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class ConnectorMetersTest {

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final ConnectorMeters meters = new ConnectorMeters(registry, Tags.of("cache", "a"));

  private void ended(Kind kind, Result result, long bytes, long millis) {
    meters.operationEnded(new OperationEvent(kind, result, bytes, Duration.ofMillis(millis)));
  }

  @Test
  void operationsAreTimedByWhatTheyCameTo() {
    ended(Kind.GET, Result.OK, 100, 3);
    ended(Kind.GET, Result.OK, 50, 5);
    ended(Kind.GET, Result.NO_MEMORY, 0, 1);
    assertThat(
            registry
                .get("lmcache.operations")
                .tags("cache", "a", "operation", "get", "result", "ok")
                .timer()
                .totalTime(TimeUnit.MILLISECONDS))
        .isEqualTo(8);
    assertThat(registry.get("lmcache.operations").tags("result", "no_memory").timer().count())
        .isEqualTo(1);
    assertThat(registry.get("lmcache.payload").tags("operation", "get").counter().count())
        .isEqualTo(150);
  }

  @Test
  void serversThatDoNotAnswerAreCountedOnceEach() {
    meters.unavailable("a", Duration.ofSeconds(3));
    meters.unavailable("a", Duration.ofSeconds(4));
    meters.unavailable("b", Duration.ofSeconds(3));
    assertThat(registry.get("lmcache.servers.unavailable").gauge().value()).isEqualTo(2);
    meters.available("a", Duration.ofSeconds(5));
    assertThat(registry.get("lmcache.servers.unavailable").gauge().value()).isEqualTo(1);
  }

  @Test
  void connectionsAreCountedAsTheyComeAndGo() {
    meters.connected("127.0.0.1:1");
    meters.connected("127.0.0.1:1");
    meters.disconnected("127.0.0.1:1");
    assertThat(registry.get("lmcache.connections.opened").counter().count()).isEqualTo(2);
    assertThat(registry.get("lmcache.connections.closed").counter().count()).isEqualTo(1);
  }
}
