/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class LocalRedisTest {

  private static final String PASSWORD = "pass \"word\\ é@/:";

  @TempDir private Path dir;

  private static boolean isAlive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  @Test
  void answersUntilItIsClosed() {
    long pid;
    int port;
    try (LocalRedis redis = LocalRedis.start()) {
      pid = redis.pid();
      port = redis.port();
      assertThat(isAlive(pid)).isTrue();
      assertThat(ServerInfo.ask("127.0.0.1", port, null)).isPresent();
      assertThat(redis.url()).isEqualTo("redis://127.0.0.1:" + port);
      assertThat(redis.version()).matches("(redis|valkey) \\d+\\.\\d+\\.\\d+");
    }
    assertThat(isAlive(pid)).isFalse();
    assertThat(ServerInfo.ask("127.0.0.1", port, null)).isEmpty();
  }

  @Test
  void theEmbeddedServerStartsWithoutAnyOnThePath() {
    try (LocalRedis redis = LocalRedis.builder().embedded().start()) {
      assertThat(redis.version()).isEqualTo("redis 7.0.15");
    }
  }

  @Test
  void severalRunSideBySide() {
    List<LocalRedis> servers =
        IntStream.range(0, 4).parallel().mapToObj(i -> LocalRedis.start()).toList();
    assertThat(servers.stream().map(LocalRedis::port).distinct()).hasSize(4);
    servers.forEach(LocalRedis::close);
  }

  @Test
  void asksForItsPasswordAndShowsItOnlyInTheUrl() {
    try (LocalRedis redis = LocalRedis.builder().password(PASSWORD).unixSocket().start()) {
      assertThat(ServerInfo.ask("127.0.0.1", redis.port(), null)).isEmpty();
      assertThat(ServerInfo.ask("127.0.0.1", redis.port(), PASSWORD)).isPresent();
      assertThat(redis.url())
          .isEqualTo("redis://:pass%20%22word%5C%20%C3%A9%40%2F%3A@127.0.0.1:" + redis.port());
      assertThat(redis.unixUrl()).startsWith("unix://:pass%20").endsWith("/redis.sock");
      assertThat(redis.toString()).doesNotContain("pass");
      assertThat(ProcessHandle.of(redis.pid()).flatMap(p -> p.info().commandLine()))
          .hasValueSatisfying(line -> assertThat(line).doesNotContain("pass"));
    }
  }

  @Test
  void closingTwiceIsFine() {
    LocalRedis redis = LocalRedis.start();
    redis.close();
    redis.close();
    assertThatThrownBy(redis::unixUrl).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aServerThatDoesNotStartIsQuotedWithoutItsPassword() {
    LocalRedis.Builder builder =
        LocalRedis.builder().password("hunter2").arguments("--no-such-option", "hunter2");
    assertThatThrownBy(builder::start)
        .isInstanceOf(LocalRedisException.class)
        .hasMessageContaining("no-such-option")
        .extracting(Throwable::getMessage)
        .asString()
        .doesNotContain("hunter2");
  }

  @Test
  void aProgramThatIsNoneIsNamed() {
    Path missing = dir.resolve("no-redis");
    assertThatThrownBy(() -> LocalRedis.builder().executable(missing).start())
        .isInstanceOf(LocalRedisException.class)
        .hasMessageContaining("no-redis");
  }

  @Test
  void oneThatOutlivesTheJvmIsLeftAlone() throws Exception {
    LocalRedis redis = LocalRedis.builder().outliveJvm().unixSocket().start();
    redis.close();
    assertThat(ServerInfo.ask("127.0.0.1", redis.port(), null)).isPresent();
    ProcessHandle server = ProcessHandle.of(redis.pid()).orElseThrow();
    server.destroyForcibly();
    server.onExit().get(10, TimeUnit.SECONDS);
    Path files = Path.of(redis.unixUrl().substring("unix://".length())).resolveSibling("");
    assertThat(files.resolve("redis.log")).exists();
    try (Stream<Path> all = Files.walk(files)) {
      for (Path file : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void goesWithTheJvmThatStartedIt(boolean killed) throws Exception {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Process jvm =
        new ProcessBuilder(
                java.toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Starter.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    long pid = Long.parseLong(jvm.inputReader().readLine());
    ProcessHandle redis = ProcessHandle.of(pid).orElseThrow();
    assertThat(redis.isAlive()).isTrue();
    if (killed) {
      jvm.destroyForcibly();
    } else {
      jvm.getOutputStream().close();
    }
    redis.onExit().get(20, TimeUnit.SECONDS);
    assertThat(jvm.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(isAlive(pid)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "Linux, amd64, linux-amd64",
    "Linux, aarch64, linux-arm64",
    "Linux, x86, linux-386",
    "Mac OS X, aarch64, darwin-arm64",
    "Mac OS X, x86_64, darwin-amd64",
  })
  void everyPlatformHasItsEmbeddedServer(String os, String arch, String expected) {
    assertThat(RedisBinary.platform(os, arch)).isEqualTo(expected);
    assertThat(RedisBinary.class.getResource("/redis-server-7.0.15-" + expected)).isNotNull();
  }

  @Test
  void aPlatformWithoutOneFindsNone() {
    String windows = RedisBinary.platform("Windows 11", "amd64");
    assertThat(RedisBinary.class.getResource("/redis-server-7.0.15-" + windows)).isNull();
  }

  @Test
  void theServerOnThePathComesFirst() throws IOException {
    Path server = Files.writeString(dir.resolve("redis-server"), "#!/bin/sh\n");
    assertThat(server.toFile().setExecutable(true)).isTrue();
    assertThat(RedisBinary.find("/nowhere::" + dir, dir)).isEqualTo(server);
  }

  /** Starts a server, prints its process id and stays until its input ends. */
  static final class Starter {

    private Starter() {}

    @SuppressWarnings({"resource", "SystemOut"}) // Left open: that is what is tested.
    public static void main(String[] args) throws IOException {
      System.out.println(LocalRedis.start().pid());
      int ignored = System.in.read();
      System.exit(ignored < 0 ? 0 : 1);
    }
  }
}
