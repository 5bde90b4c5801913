/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import com.redis.testcontainers.RedisContainer;
import io.lmcache4j.cli.server.LocalRedis;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.utility.DockerImageName;

/**
 * The servers that the contract is run against: a local one always, those of {@code
 * LMCACHE4J_TEST_SERVERS} (programs, separated as in {@code PATH}), and two images where there is
 * Docker. Which ran and which could not is printed, so that nothing passes by not being there.
 */
final class Servers {

  /** The two servers that LMCache4j's first measurements were made on. */
  private static final List<String> IMAGES =
      List.of("bitnamilegacy/redis:7.4.2-debian-12-r6", "redis:8.4.0");

  private static final List<TestServer> RUNNING = start();

  private Servers() {}

  static List<TestServer> running() {
    return RUNNING;
  }

  // They live as long as the JVM: the guard of LocalRedis and Testcontainers' Ryuk end them.
  @SuppressWarnings("resource")
  private static List<TestServer> start() {
    List<TestServer> servers = new ArrayList<>();
    servers.add(TestServer.of(LocalRedis.builder().unixSocket().start()));
    String more = System.getenv("LMCACHE4J_TEST_SERVERS");
    if (more != null && !more.isEmpty()) {
      for (String program : more.split(File.pathSeparator, -1)) {
        servers.add(
            TestServer.of(LocalRedis.builder().unixSocket().executable(Path.of(program)).start()));
      }
    }
    boolean docker = DockerClientFactory.instance().isDockerAvailable();
    for (String image : IMAGES) {
      if (docker) {
        servers.add(container(image));
      } else {
        System.out.println("[contract] not run: " + image + " (no Docker)");
      }
    }
    for (TestServer server : servers) {
      System.out.println(
          "[contract] runs: "
              + server.name()
              + (server.unixUrl() == null ? "" : ", over its unix socket as well"));
    }
    return List.copyOf(servers);
  }

  private static TestServer container(String image) {
    RedisContainer container =
        new RedisContainer(DockerImageName.parse(image).asCompatibleSubstituteFor("redis"))
            .withEnv("ALLOW_EMPTY_PASSWORD", "yes");
    container.start();
    return new TestServer(image, container.getRedisHost(), container.getRedisPort(), null);
  }
}
