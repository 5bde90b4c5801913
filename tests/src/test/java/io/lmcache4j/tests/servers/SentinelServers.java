/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.servers;

import static org.awaitility.Awaitility.await;

import io.lmcache4j.cli.server.LocalRedis;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;

/** A master, its replica and a Sentinel that watches them; all in the clear, or all over TLS. */
public final class SentinelServers implements AutoCloseable {

  /** LMCache's default for the name of the master. */
  public static final String SERVICE = "redismaster";

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final boolean tls;
  private final List<LocalRedis> servers = new ArrayList<>();

  /** Of those ports that clients are to use. */
  private final List<Integer> ports = new ArrayList<>();

  private SentinelServers(boolean tls) {
    this.tls = tls;
  }

  /** Starts the three and waits until Sentinel knows the replica, and that in step. */
  public static SentinelServers start(Program program, boolean tls) {
    SentinelServers all = new SentinelServers(tls);
    try {
      all.add(program, List.of());
      all.add(program, List.of("--replicaof", "127.0.0.1", all.ports.get(0).toString()));
      all.replicate();
      all.add(program, List.of("--sentinel"));
      all.watch();
    } catch (RuntimeException e) {
      all.close();
      throw e;
    }
    return all;
  }

  private void add(Program program, List<String> role) {
    Program.Started started =
        Program.start(
            program.server(),
            1,
            ports -> {
              List<String> arguments = new ArrayList<>();
              if (tls) {
                Certificates certificates = Certificates.ofThisRun();
                arguments.addAll(certificates.arguments(ports.get(0), certificates.server()));
                arguments.addAll(List.of("--tls-replication", "yes"));
              }
              if (!role.contains("--sentinel")) {
                // A replica that comes late is not to wait for others.
                arguments.addAll(List.of("--repl-diskless-sync-delay", "0"));
              }
              arguments.addAll(role);
              return arguments;
            });
    servers.add(started.redis());
    ports.add(tls ? started.ports().get(0) : started.redis().port());
  }

  private void replicate() {
    try (RawConnection replica = connect(1)) {
      until(() -> replica.field("master_link_status", "INFO", "replication").equals("up"));
    }
  }

  private void watch() {
    try (RawConnection sentinel = sentinel()) {
      sentinel.call("SENTINEL", "MONITOR", SERVICE, "127.0.0.1", ports.get(0), 1);
      sentinel.call("SENTINEL", "SET", SERVICE, "down-after-milliseconds", 1000);
      sentinel.call("SENTINEL", "SET", SERVICE, "failover-timeout", 10_000);
      until(() -> replicaIsKnown(sentinel));
    }
  }

  private static boolean replicaIsKnown(RawConnection sentinel) {
    List<?> replicas =
        (List<?>) Objects.requireNonNull(sentinel.call("SENTINEL", "REPLICAS", SERVICE));
    if (replicas.isEmpty()) {
      return false;
    }
    List<String> fields = new ArrayList<>();
    for (Object field : (List<?>) Objects.requireNonNull(replicas.get(0))) {
      fields.add(new String((byte[]) Objects.requireNonNull(field), StandardCharsets.UTF_8));
    }
    return fields.get(fields.indexOf("master-link-status") + 1).equals("ok")
        && fields.get(fields.indexOf("flags") + 1).equals("slave");
  }

  private static void until(Callable<Boolean> condition) {
    await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .atMost(PATIENCE)
        .until(condition);
  }

  private RawConnection connect(int index) {
    return tls
        ? RawConnection.tls(ports.get(index))
        : RawConnection.plain("127.0.0.1", ports.get(index));
  }

  /** The servers: what was the master at first, what was its replica, the Sentinel. */
  public List<LocalRedis> servers() {
    return servers;
  }

  public RawConnection sentinel() {
    return connect(2);
  }

  /** Host and port of the Sentinel. */
  public String host() {
    return "127.0.0.1:" + ports.get(2);
  }

  /** The port of the master of now, as Sentinel knows it. */
  public int masterPort() {
    try (RawConnection sentinel = sentinel()) {
      List<?> address =
          (List<?>)
              Objects.requireNonNull(sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE));
      return Integer.parseInt(
          new String((byte[]) Objects.requireNonNull(address.get(1)), StandardCharsets.UTF_8));
    }
  }

  /** What is on the master of now. */
  public RawRedis raw() {
    return new RawRedis(connect(ports.indexOf(masterPort())));
  }

  @Override
  public void close() {
    servers.forEach(LocalRedis::close);
  }
}
