/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import static org.awaitility.Awaitility.await;

import io.lettuce.core.cluster.SlotHash;
import io.lmcache4j.cli.server.LocalRedis;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;

/** Three masters, the first of which has a replica. */
final class ClusterBed implements AutoCloseable {

  static final int MASTERS = 3;
  private static final int REPLICA = MASTERS;
  private static final int SLOTS = SlotHash.SLOT_COUNT;
  private static final String LOOPBACK = "127.0.0.1";
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final List<LocalRedis> nodes = new ArrayList<>();

  /** Starts the nodes and waits until each knows all others. */
  ClusterBed(Duration nodeTimeout) {
    boolean complete = false;
    try {
      List<Integer> buses = new ArrayList<>();
      for (int i = 0; i <= MASTERS; i++) {
        buses.add(freePort());
        nodes.add(start(nodeTimeout, buses.get(i)));
      }
      join(buses);
      complete = true;
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  private static LocalRedis start(Duration nodeTimeout, int bus) {
    return LocalRedis.builder()
        .embedded()
        .arguments(
            "--cluster-enabled", "yes",
            "--cluster-port", Integer.toString(bus),
            "--cluster-node-timeout", Long.toString(nodeTimeout.toMillis()),
            "--cluster-require-full-coverage", "no",
            "--repl-diskless-sync-delay", "0")
        .start();
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void join(List<Integer> buses) {
    for (int i = 0; i < nodes.size(); i++) {
      order(i, "CLUSTER", "SET-CONFIG-EPOCH", Integer.toString(i + 1));
      if (i < MASTERS) {
        int first = i * SLOTS / MASTERS;
        int last = (i + 1) * SLOTS / MASTERS - 1;
        order(i, "CLUSTER", "ADDSLOTSRANGE", Integer.toString(first), Integer.toString(last));
      }
      if (i > 0) {
        String port = Integer.toString(nodes.get(0).port());
        order(i, "CLUSTER", "MEET", LOOPBACK, port, Integer.toString(buses.get(0)));
      }
    }
    for (int i = 0; i < nodes.size(); i++) {
      int node = i;
      soon(() -> text(node, "CLUSTER", "INFO").contains("cluster_state:ok"));
      soon(() -> text(node, "CLUSTER", "INFO").contains("cluster_known_nodes:" + nodes.size()));
    }
    String master = text(0, "CLUSTER", "MYID");
    soon(() -> text(REPLICA, "CLUSTER", "NODES").contains(master));
    order(REPLICA, "CLUSTER", "REPLICATE", master);
    soon(() -> text(REPLICA, "INFO", "replication").contains("master_link_status:up"));
    for (int i = 0; i < nodes.size(); i++) {
      int node = i;
      soon(() -> text(node, "CLUSTER", "NODES").contains("slave " + master));
    }
  }

  private static void soon(Callable<Boolean> condition) {
    await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .atMost(PATIENCE)
        .until(condition);
  }

  private @Nullable Object order(int node, String command, String... arguments) {
    try (Jedis orders = new Jedis(LOOPBACK, nodes.get(node).port())) {
      return orders.sendCommand(() -> command.getBytes(StandardCharsets.UTF_8), arguments);
    }
  }

  private String text(int node, String command, String... arguments) {
    return new String(
        (byte[]) Objects.requireNonNull(order(node, command, arguments)), StandardCharsets.UTF_8);
  }

  /** Which of the masters has a Redis key, as the cluster was made. */
  static int masterOf(String redisKey) {
    int slot = SlotHash.getSlot(redisKey);
    int master = 0;
    while (slot >= (master + 1) * SLOTS / MASTERS) {
      master++;
    }
    return master;
  }

  String url() {
    return nodes.stream()
        .map(node -> LOOPBACK + ":" + node.port())
        .collect(Collectors.joining(",", "redis-cluster://", ""));
  }

  void signal(int node, String signal) {
    Signals.send(nodes.get(node).pid(), signal);
  }

  @Override
  public void close() {
    nodes.forEach(LocalRedis::close);
  }
}
