/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lmcache4j.cli.server.LocalRedis;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A cluster of three masters on this machine. Its servers are the embedded ones: that of the PATH
 * may be older than {@code cluster-port}, without which a node's second port is its first plus
 * 10,000, and above 65,535 more often than not.
 */
final class LocalCluster implements AutoCloseable {

  private static final int NODES = 3;
  private static final int SLOTS = 16384;
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final List<LocalRedis> nodes = new ArrayList<>();

  LocalCluster() {
    List<Integer> busPorts = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      int busPort = Ports.free();
      busPorts.add(busPort);
      nodes.add(
          LocalRedis.builder()
              .embedded()
              .arguments("--cluster-enabled", "yes", "--cluster-port", Integer.toString(busPort))
              .start());
    }
    RedisClient client = RedisClient.create();
    try {
      for (int i = 0; i < NODES; i++) {
        RedisCommands<String, String> node =
            client.connect(RedisURI.create(nodes.get(i).url())).sync();
        node.clusterAddSlots(IntStream.range(SLOTS * i / NODES, SLOTS * (i + 1) / NODES).toArray());
        meet(node, nodes.get(0).port(), busPorts.get(0));
      }
      for (LocalRedis node : nodes) {
        RedisCommands<String, String> commands = client.connect(RedisURI.create(node.url())).sync();
        await()
            .atMost(LIMIT)
            .untilAsserted(
                () ->
                    assertThat(commands.clusterInfo())
                        .contains(
                            "cluster_state:ok",
                            "cluster_known_nodes:" + NODES,
                            "cluster_slots_ok:" + SLOTS));
      }
    } finally {
      client.shutdown();
    }
  }

  private static void meet(RedisCommands<String, String> node, int port, int busPort) {
    node.dispatch(
        CommandType.CLUSTER,
        new StatusOutput<>(StringCodec.UTF8),
        new CommandArgs<>(StringCodec.UTF8).add("MEET").add("127.0.0.1").add(port).add(busPort));
  }

  /** The nodes as they stand in a URL. */
  String hosts() {
    return nodes.stream().map(node -> "127.0.0.1:" + node.port()).collect(joining(","));
  }

  /** The first of them. */
  String seed() {
    return "127.0.0.1:" + nodes.get(0).port();
  }

  RawRedis raw() {
    return new RawRedis(nodes.stream().map(LocalRedis::url).toArray(String[]::new));
  }

  @Override
  public void close() {
    nodes.forEach(LocalRedis::close);
  }
}
