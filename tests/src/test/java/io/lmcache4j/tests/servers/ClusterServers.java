/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.servers;

import static org.awaitility.Awaitility.await;

import io.lmcache4j.cli.server.LocalRedis;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A cluster of three masters without replicas, reached in the clear and, if asked for, over TLS.
 */
public final class ClusterServers implements AutoCloseable {

  private static final int NODES = 3;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final List<LocalRedis> servers = new ArrayList<>();
  private final List<Integer> busPorts = new ArrayList<>();
  private final List<Integer> tlsPorts = new ArrayList<>();

  private ClusterServers() {}

  /** Starts the nodes and waits until each knows whose all slots are. */
  @SuppressWarnings("MustBeClosed")
  public static ClusterServers start(Program program, boolean tls) {
    ClusterServers cluster = new ClusterServers();
    try {
      for (int i = 0; i < NODES; i++) {
        cluster.add(program, tls);
      }
      cluster.join();
    } catch (RuntimeException e) {
      cluster.close();
      throw e;
    }
    return cluster;
  }

  private void add(Program program, boolean tls) {
    Program.Started node =
        Program.start(
            program.server(),
            2,
            ports -> {
              List<String> arguments = new ArrayList<>();
              arguments.addAll(List.of("--cluster-enabled", "yes"));
              arguments.addAll(List.of("--cluster-announce-ip", "127.0.0.1"));
              arguments.addAll(List.of("--cluster-port", ports.get(0).toString()));
              if (tls) {
                Certificates certificates = Certificates.ofThisRun();
                arguments.addAll(certificates.arguments(ports.get(1), certificates.server()));
                // Nodes then tell a client that speaks TLS of each other's TLS ports.
                arguments.addAll(List.of("--tls-cluster", "yes"));
              }
              return arguments;
            });
    servers.add(node.redis());
    busPorts.add(node.ports().get(0));
    if (tls) {
      tlsPorts.add(node.ports().get(1));
    }
  }

  private void join() {
    List<Integer> announced = tlsPorts.isEmpty() ? ports() : tlsPorts;
    for (int i = 0; i < NODES; i++) {
      try (RawConnection node = node(i)) {
        node.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
        int first = i * Slots.COUNT / NODES;
        int last = (i + 1) * Slots.COUNT / NODES - 1;
        node.call("CLUSTER", "ADDSLOTSRANGE", first, last);
        if (i > 0) {
          node.call("CLUSTER", "MEET", "127.0.0.1", announced.get(0), busPorts.get(0));
        }
      }
    }
    for (int i = 0; i < NODES; i++) {
      try (RawConnection node = node(i)) {
        await()
            .pollDelay(Duration.ZERO)
            .pollInterval(Duration.ofMillis(20))
            .atMost(PATIENCE)
            .until(
                () ->
                    node.field("cluster_state", "CLUSTER", "INFO").equals("ok")
                        && node.field("cluster_known_nodes", "CLUSTER", "INFO")
                            .equals(Integer.toString(NODES)));
      }
    }
  }

  /** The nodes, in the order of their slots. */
  public List<LocalRedis> servers() {
    return servers;
  }

  public int busPort(int node) {
    return busPorts.get(node);
  }

  private List<Integer> ports() {
    return servers.stream().map(LocalRedis::port).toList();
  }

  /** A connection to one node. */
  public RawConnection node(int index) {
    return RawConnection.plain("127.0.0.1", servers.get(index).port());
  }

  /** Host and port of every node, separated by commas. */
  public String hosts() {
    return hosts(ports());
  }

  /** The same with the TLS ports. */
  public String tlsHosts() {
    return hosts(tlsPorts);
  }

  private static String hosts(List<Integer> ports) {
    return ports.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
  }

  public RawRedis raw() {
    return RawRedis.ofCluster(
        servers.get(0).port(), port -> RawConnection.plain("127.0.0.1", port));
  }

  public RawRedis tlsRaw() {
    return RawRedis.ofCluster(tlsPorts.get(0), RawConnection::tls);
  }

  @Override
  public void close() {
    servers.forEach(LocalRedis::close);
  }
}
