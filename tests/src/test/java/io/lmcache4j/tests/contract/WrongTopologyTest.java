/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A URL that names one arrangement of servers where there is another, or none. */
final class WrongTopologyTest {

  private static String addressOf(Topology topology) {
    return Servers.running().stream()
        .filter(server -> server.topology() == topology)
        .findFirst()
        .orElseThrow()
        .address();
  }

  private static String refused(String url) {
    RedisConnectorException failure =
        catchThrowableOfType(RedisConnectorException.class, () -> RedisConnector.open(url).close());
    assertThat(failure).isNotNull();
    assertThat(failure)
        .hasMessageStartingWith("cannot connect to " + url.replaceFirst("[?].*", ""));
    return String.valueOf(failure.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"redis", "rediss", "resp", "valkey", "redis-cluster", "redis-sentinel"})
  void nobodyListens(String scheme) throws IOException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    assertThat(refused(scheme + "://127.0.0.1:" + port)).containsIgnoringCase("refused");
  }

  @ParameterizedTest
  @ValueSource(strings = {"redis-cluster://HERE", "valkey://HERE?cluster=true"})
  void aServerAloneIsNoCluster(String url) {
    assertThat(refused(url.replace("HERE", addressOf(Topology.TCP))))
        .containsIgnoringCase("cluster support disabled");
  }

  @ParameterizedTest
  @ValueSource(strings = {"redis", "resp"})
  void aNodeOfAClusterSendsOneOn(String scheme) {
    String first = addressOf(Topology.CLUSTER).split(",", -1)[0];
    try (DirectMemory memory = DirectMemory.create(1 << 20);
        RedisConnector connector = RedisConnector.open(scheme + "://" + first)) {
      int moved = 0;
      for (int i = 0; i < 20; i++) {
        try (KvChunk chunk =
            new KvChunk(
                Samples.key(i),
                Samples.METADATA,
                Objects.requireNonNull(memory.tryLease(Samples.BYTES)))) {
          PutOutcome put = connector.sync().put(chunk);
          GetOutcome got = connector.sync().get(Samples.key(i));
          if (put instanceof PutOutcome.Failed) {
            assertThat(Contract.failureOf(put)).contains(Samples.key(i).toString(), "MOVED");
            moved++;
          }
          assertThat(got).isNotInstanceOf(GetOutcome.Corrupt.class);
          if (got instanceof GetOutcome.Hit) {
            assertThat(put).isInstanceOf(PutOutcome.Stored.class);
            Contract.bytesOf(got);
          }
          connector.remove(Samples.key(i)).toCompletableFuture().handle((n, e) -> e).join();
        }
      }
      assertThat(moved).isPositive();
    }
  }

  @Test
  void aMasterThatSentinelDoesNotKnow() {
    refused("redis-sentinel://" + addressOf(Topology.SENTINEL) + "?service_name=nobody");
  }

  @Test
  void aServerThatIsNoSentinel() {
    String url = "redis-sentinel://" + addressOf(Topology.TCP) + "?socket_connect_timeout=1";
    assertThat(refused(url)).contains("Cannot obtain master");
  }
}
