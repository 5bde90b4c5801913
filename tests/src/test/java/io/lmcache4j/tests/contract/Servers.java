/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import com.redis.testcontainers.RedisContainer;
import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.tests.servers.Certificates;
import io.lmcache4j.tests.servers.ClusterServers;
import io.lmcache4j.tests.servers.FetchedServers;
import io.lmcache4j.tests.servers.Program;
import io.lmcache4j.tests.servers.RawConnection;
import io.lmcache4j.tests.servers.RawRedis;
import io.lmcache4j.tests.servers.SentinelServers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.utility.DockerImageName;

/**
 * The servers that the contract is run against: a local one always, in every topology; {@link
 * FetchedServers}, in every topology but Sentinel, which a server knows nothing of; and two images
 * where there is Docker. Which ran and which could not is printed, so that nothing passes by not
 * being there.
 */
final class Servers {

  /** The two servers that LMCache4j's first measurements were made on. */
  private static final List<String> IMAGES =
      List.of("bitnamilegacy/redis:7.4.2-debian-12-r6", "redis:8.4.0");

  private static final String LOOPBACK = "127.0.0.1";

  private static final List<TestServer> RUNNING = start();

  private Servers() {}

  static List<TestServer> running() {
    return RUNNING;
  }

  /** The local server, over TCP. */
  static TestServer local() {
    return RUNNING.get(0);
  }

  // They live as long as the JVM: the guard of LocalRedis and Testcontainers' Ryuk end them.
  private static List<TestServer> start() {
    List<TestServer> servers = new ArrayList<>();
    Program local = Program.of(null);
    if (!local.hasTls() && System.getenv("CI") != null) {
      throw new IllegalStateException("the local server, " + local.version() + ", has no TLS");
    }
    start(local, servers);
    sentinel(local, servers);
    for (Path program : FetchedServers.programs()) {
      start(Program.of(program), servers);
    }
    boolean docker = DockerClientFactory.instance().isDockerAvailable();
    for (String image : IMAGES) {
      if (docker) {
        servers.add(container(image));
      } else {
        Ran.leftOut(image, "all", "no Docker");
      }
    }
    for (TestServer server : servers) {
      System.out.println("[contract] runs: " + server.name() + ", " + server.topology());
    }
    return List.copyOf(servers);
  }

  @SuppressWarnings("resource")
  private static void start(Program program, List<TestServer> servers) {
    String name = program.version();
    Program.Started started =
        Program.start(
            program.server().unixSocket(),
            1,
            ports -> program.hasTls() ? tls(ports.get(0)) : List.of());
    LocalRedis redis = started.redis();
    servers.add(single(name, Topology.TCP, redis));
    servers.add(single(name, Topology.UNIX, redis));
    ClusterServers cluster = ClusterServers.start(program, program.hasTls());
    servers.add(new TestServer(name, Topology.CLUSTER, cluster.hosts(), cluster::raw));
    if (program.hasTls()) {
      int port = started.ports().get(0);
      servers.add(
          new TestServer(
              name,
              Topology.TLS,
              LOOPBACK + ":" + port,
              () -> new RawRedis(RawConnection.tls(port))));
      servers.add(new TestServer(name, Topology.CLUSTER_TLS, cluster.tlsHosts(), cluster::tlsRaw));
    } else {
      Ran.leftOut(name, Topology.TLS.toString(), "built without TLS");
    }
  }

  private static List<String> tls(int port) {
    Certificates certificates = Certificates.ofThisRun();
    return certificates.arguments(port, certificates.server());
  }

  private static TestServer single(String name, Topology topology, LocalRedis redis) {
    String address =
        topology == Topology.UNIX
            ? redis.unixUrl().substring("unix://".length())
            : LOOPBACK + ":" + redis.port();
    return new TestServer(name, topology, address, () -> new RawRedis(LOOPBACK, redis.port()));
  }

  @SuppressWarnings("resource")
  private static void sentinel(Program program, List<TestServer> servers) {
    SentinelServers sentinel = SentinelServers.start(program, false);
    servers.add(
        new TestServer(program.version(), Topology.SENTINEL, sentinel.host(), sentinel::raw));
  }

  private static TestServer container(String image) {
    RedisContainer container =
        new RedisContainer(DockerImageName.parse(image).asCompatibleSubstituteFor("redis"))
            .withEnv("ALLOW_EMPTY_PASSWORD", "yes");
    container.start();
    String host = container.getRedisHost();
    int port = container.getRedisPort();
    return new TestServer(image, Topology.TCP, host + ":" + port, () -> new RawRedis(host, port));
  }
}
