/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorException;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.tests.servers.RawRedis;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A server that cannot be had is told of clearly and soon, nothing stays open, and no credential is
 * to be found anywhere: neither in exceptions, nor in the log at its most talkative.
 */
final class ConnectFailuresTest {

  private static final String USER = "user-of-the-cache";
  private static final String PASSWORD = "tr0ub4dor-and-3";

  private final TalkativeLog log = new TalkativeLog();

  @TempDir private Path dir;

  @AfterEach
  void nothingIsLeftBehind() {
    log.close();
    // Lettuce names the user at DEBUG, which is no secret.
    assertThat(log.lines()).filteredOn(line -> line.contains(PASSWORD)).isEmpty();
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .filteredOn(name -> name.startsWith("lettuce"))
                    .isEmpty());
  }

  private static boolean hasCredential(String text) {
    return text.contains(PASSWORD) || text.contains(USER);
  }

  /** The message; nothing in the exception, causes and stack traces included, is a credential. */
  private static String refused(String url, Consumer<RedisConnectorOptions.Builder> change) {
    RedisConnectorOptions.Builder options = RedisConnectorOptions.builder(url);
    change.accept(options);
    RedisConnectorException failure =
        catchThrowableOfType(
            RedisConnectorException.class, () -> RedisConnector.open(options.build()).close());
    assertThat(failure).isNotNull();
    StringWriter trace = new StringWriter();
    failure.printStackTrace(new PrintWriter(trace));
    assertThat(hasCredential(trace.toString())).as(trace.toString()).isFalse();
    assertThat(options.build().toString()).matches(text -> !hasCredential(text));
    return String.valueOf(failure.getMessage());
  }

  private static String refused(String url) {
    return refused(url, options -> {});
  }

  private static String withCredentials(String url) {
    return url.replace("://", "://" + USER + ":" + PASSWORD + "@");
  }

  @Test
  void nobodyListens() throws IOException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    assertThat(refused(withCredentials("redis://127.0.0.1:" + port)))
        .startsWith("cannot connect to redis://***@127.0.0.1:" + port)
        .containsIgnoringCase("refused");
  }

  @Test
  void aHostThatIsNone() {
    assertThat(refused(withCredentials("redis://no-such-host.invalid:6379")))
        .startsWith("cannot connect to redis://***@no-such-host.invalid:6379")
        .contains("no-such-host.invalid");
  }

  @Test
  void aUnixSocketThatIsNone() {
    Path missing = dir.resolve("redis.sock");
    assertThat(refused(withCredentials("unix://" + missing)))
        .startsWith("cannot connect to unix://***@" + missing)
        .contains("FileNotFoundException");
  }

  @Test
  void aWrongPassword() {
    try (LocalRedis redis = LocalRedis.builder().password("right").start()) {
      String url = "redis://127.0.0.1:" + redis.port();
      assertThat(refused(url.replace("://", "://:" + PASSWORD + "@")))
          .startsWith("cannot connect to redis://***@127.0.0.1:" + redis.port())
          .contains("WRONGPASS");
      assertThat(refused(withCredentials(url))).contains("WRONGPASS");
      assertThat(refused(url)).contains("NOAUTH");
    }
  }

  @Test
  void aServerThatIsNoRedis() throws IOException {
    try (Answering http = new Answering("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")) {
      assertThat(refused(withCredentials("redis://127.0.0.1:" + http.port())))
          .startsWith("cannot connect to redis://***@127.0.0.1:" + http.port());
    }
  }

  @Test
  void aServerThatSaysNothing() throws IOException {
    try (Answering mute = new Answering("")) {
      assertThat(
              refused(
                  withCredentials("redis://127.0.0.1:" + mute.port()),
                  options -> options.connectTimeout(Duration.ofMillis(200))))
          .isEqualTo("cannot connect to redis://***@127.0.0.1:" + mute.port() + " within 200 ms");
    }
  }

  @Test
  void aDatabaseThatIsNone() {
    try (LocalRedis redis = LocalRedis.start()) {
      assertThat(refused(redis.url() + "/99")).contains("/99: ERR", "DB index is out of range");
    }
  }

  @Test
  void memoryThatCannotBe() {
    try (LocalRedis redis = LocalRedis.start()) {
      assertThat(
              catchThrowableOfType(
                  IllegalArgumentException.class,
                  () ->
                      RedisConnector.open(
                              RedisConnectorOptions.builder(redis.url()).memoryCapacity(1).build())
                          .close()))
          .isNotNull();
    }
  }

  @ParameterizedTest
  @EnumSource
  void evenTheMostTalkativeLogHasNoCredential(RedisConnectorOptions.Path path) {
    try (LocalRedis redis = LocalRedis.builder().unixSocket().start();
        RawRedis raw = new RawRedis("127.0.0.1", redis.port());
        DirectMemory memory = DirectMemory.create(1 << 20)) {
      raw.call("ACL", "SETUSER", USER, "on", ">" + PASSWORD, "~*", "+@all");
      for (String url : List.of(redis.url(), redis.unixUrl())) {
        try (RedisConnector connector =
            RedisConnector.open(
                RedisConnectorOptions.builder(withCredentials(url))
                    .path(path)
                    .memory(memory)
                    .build())) {
          try (KvChunk chunk =
              new KvChunk(
                  Samples.key(1),
                  Samples.METADATA,
                  Objects.requireNonNull(memory.tryLease(Samples.BYTES)))) {
            connector.sync().put(chunk);
          }
          Contract.bytesOf(connector.sync().get(Samples.key(1)));
          assertThat(connector.sync().exists(Samples.key(1))).isTrue();
          assertThat(connector.toString() + connector.info()).matches(text -> !hasCredential(text));
        }
      }
      assertThat(log.lines()).isNotEmpty();
    }
  }

  /** Says one thing to whoever connects, and then nothing. */
  private static final class Answering implements AutoCloseable {

    private final ServerSocket listening =
        new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final List<Socket> clients = new CopyOnWriteArrayList<>();

    Answering(String words) throws IOException {
      Thread thread =
          new Thread(
              () -> {
                try {
                  while (true) {
                    Socket client = listening.accept();
                    clients.add(client);
                    client.getOutputStream().write(words.getBytes(StandardCharsets.US_ASCII));
                  }
                } catch (IOException e) {
                  // Closed: done.
                  return;
                }
              },
              "answering");
      thread.setDaemon(true);
      thread.start();
    }

    int port() {
      return listening.getLocalPort();
    }

    @Override
    public void close() throws IOException {
      listening.close();
      for (Socket client : clients) {
        client.close();
      }
    }
  }
}
