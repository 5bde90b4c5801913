/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.sun.net.httpserver.Headers;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** The proxy as HTTP: bytes, fields, limits, and who hangs up. */
@Timeout(60)
final class PassingOnTest {

  private static final String STREAMED =
      "{\"prompt\":\"a prompt of some length\",\"max_tokens\":40,\"stream\":true}";

  @Test
  void aStreamedAnswerIsPassedOnEventByEvent() throws Exception {
    try (Deployment deployment = new Deployment(1, 1)) {
      deployment.consumer.events.drainPermits();
      HttpResponse<InputStream> answer =
          deployment
              .client()
              .send(
                  HttpRequest.newBuilder(deployment.url("/v1/completions"))
                      .POST(HttpRequest.BodyPublishers.ofString(STREAMED))
                      .build(),
                  HttpResponse.BodyHandlers.ofInputStream());
      assertThat(answer.headers().firstValue("Content-Type"))
          .contains("text/event-stream; charset=utf-8");
      try (InputStream in = answer.body()) {
        for (String event : FakeVllm.EVENTS) {
          // The next one is not sent before this one has arrived.
          deployment.consumer.events.release();
          byte[] bytes = event.getBytes(UTF_8);
          assertThat(in.readNBytes(bytes.length)).isEqualTo(bytes);
        }
        assertThat(in.read()).isEqualTo(-1);
      }
      assertThat(deployment.consumer.failures()).isEmpty();
    }
  }

  /** A worker that reads what comes, never answers, and tells when it is hung up on. */
  private static final class SilentWorker implements AutoCloseable {

    private final ServerSocket server = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
    private final CountDownLatch asked = new CountDownLatch(1);
    private final CompletableFuture<Boolean> hungUp = new CompletableFuture<>();
    private final byte[] greeting;

    SilentWorker(String greeting) throws IOException {
      this.greeting = greeting.getBytes(UTF_8);
      Thread thread = new Thread(this::serve, "silent-worker");
      thread.setDaemon(true);
      thread.start();
    }

    private void serve() {
      try (Socket client = server.accept()) {
        InputStream in = client.getInputStream();
        int first = in.read();
        client.getOutputStream().write(greeting);
        client.getOutputStream().flush();
        asked.countDown();
        while (first >= 0 && in.read() >= 0) {
          // What comes is of no interest, only that it ends.
        }
        hungUp.complete(true);
      } catch (IOException e) {
        hungUp.complete(true);
      }
    }

    URI url() {
      return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    @Override
    public void close() throws IOException {
      server.close();
    }
  }

  private static Socket send(Deployment deployment, String request) throws IOException {
    Socket socket =
        new Socket(InetAddress.getLoopbackAddress(), deployment.sidecar.address().getPort());
    socket.getOutputStream().write(request.getBytes(UTF_8));
    socket.getOutputStream().flush();
    return socket;
  }

  private static String completion(String body) {
    return post("Content-Length: " + body.length()) + body;
  }

  private static String post(String... fields) {
    return "POST /v1/completions HTTP/1.1\r\nHost: h\r\n"
        + String.join("\r\n", fields)
        + "\r\n\r\n";
  }

  @Test
  void aClientThatHangsUpDuringPrefillEndsThePrefill() throws Exception {
    try (SilentWorker worker = new SilentWorker("");
        Deployment deployment =
            new Deployment(
                1, 1, s -> Deployment.with(s, List.of(worker.url()), s.decode(), null))) {
      try (Socket client = send(deployment, completion(STREAMED))) {
        assertThat(worker.asked.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(client.isConnected()).isTrue();
      }
      assertThat(worker.hungUp.get(20, TimeUnit.SECONDS)).isTrue();
      assertThat(deployment.consumer.requests()).isEmpty();
    }
  }

  @Test
  void aClientThatHangsUpWhileItWaitsForDecodeEndsTheDecode() throws Exception {
    try (SilentWorker worker = new SilentWorker("");
        Deployment deployment =
            new Deployment(1, 1, s -> Deployment.with(s, List.of(), List.of(worker.url()), null))) {
      try (Socket client = send(deployment, completion(STREAMED))) {
        assertThat(worker.asked.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(client.isConnected()).isTrue();
      }
      assertThat(worker.hungUp.get(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void aClientThatHangsUpInTheMiddleOfAStreamEndsTheDecode() throws Exception {
    try (SilentWorker worker =
            new SilentWorker("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        Deployment deployment =
            new Deployment(1, 1, s -> Deployment.with(s, List.of(), List.of(worker.url()), null))) {
      try (Socket client = send(deployment, completion(STREAMED))) {
        assertThat(client.getInputStream().read()).isPositive();
      }
      assertThat(worker.hungUp.get(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void anAnswerThatBreaksOffIsNotTakenForWhole() throws Exception {
    try (ServerSocket worker = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        Deployment deployment =
            new Deployment(
                1,
                1,
                s ->
                    Deployment.with(
                        s,
                        List.of(),
                        List.of(URI.create("http://127.0.0.1:" + worker.getLocalPort())),
                        null))) {
      Thread breaking =
          new Thread(
              () -> {
                try (Socket client = worker.accept()) {
                  client.getInputStream().read();
                  client
                      .getOutputStream()
                      .write(
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
                              .getBytes(UTF_8));
                  client.shutdownOutput();
                  // Closed with bytes unread, it would take back what it wrote.
                  client.getInputStream().readAllBytes();
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      breaking.start();
      try (Socket client = send(deployment, completion(STREAMED))) {
        String answer = new String(client.getInputStream().readAllBytes(), UTF_8);
        assertThat(answer).startsWith("HTTP/1.1 200").doesNotEndWith("0\r\n\r\n");
      }
      breaking.join();
    }
  }

  @Test
  void fieldsOfAConnectionEndThereAndCredentialsReachEveryWorkerAndNoLog() throws Exception {
    Logger logger = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    ListAppender<ILoggingEvent> logged = new ListAppender<>();
    logged.start();
    Level before = logger.getLevel();
    logger.setLevel(Level.INFO);
    logger.addAppender(logged);
    try (Deployment deployment = new Deployment(1, 1)) {
      deployment.producer.tellsTokenIds = false;
      deployment.consumer.status = 500;
      try (Socket client =
          send(
              deployment,
              post(
                      "Content-Length: " + STREAMED.length(),
                      "Authorization: Bearer sk-secret-1",
                      "Connection: close, X-Mine",
                      "X-Mine: 1",
                      "TE: trailers",
                      "X-Request-Id: r1",
                      "Content-Type: application/json")
                  + STREAMED)) {
        assertThat(new String(client.getInputStream().readAllBytes(), UTF_8))
            .startsWith("HTTP/1.1 500");
      }
      for (FakeVllm worker : List.of(deployment.producer, deployment.consumer)) {
        assertThat(worker.requests()).isNotEmpty();
        for (FakeVllm.Request request : worker.requests()) {
          Headers headers = request.headers();
          assertThat(headers.getFirst("Authorization")).isEqualTo("Bearer sk-secret-1");
          assertThat(headers.getFirst("X-Request-Id")).isEqualTo("r1");
          assertThat(headers).doesNotContainKeys("Te", "X-mine", "Transfer-encoding", "Upgrade");
          assertThat(headers.getFirst("Host")).isEqualTo(worker.url().getAuthority());
        }
      }
      assertThat(deployment.producer.requests("/tokenize")).hasSize(1);
      deployment.producer.status = 401;
      deployment.post("/v1/completions", STREAMED, "Authorization", "Bearer sk-secret-2");
    } finally {
      logger.detachAppender(logged);
      logger.setLevel(before);
    }
    assertThat(logged.list).isNotEmpty();
    assertThat(logged.list.toString())
        .contains("refused")
        .doesNotContain("sk-secret")
        .doesNotContain("a prompt of");
  }

  @Test
  void aRequestThatComesBeforeTheAnswerToTheLastIsAnsweredAfterIt() throws Exception {
    try (Deployment deployment = new Deployment(1, 1);
        Socket client =
            send(
                deployment,
                completion("{\"prompt\":\"p\"}")
                    + "GET /v1/models HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")) {
      assertThat(new String(client.getInputStream().readAllBytes(), UTF_8))
          .containsSubsequence("HTTP/1.1 200", "choices", "HTTP/1.1 200", "\"list\"");
    }
  }

  @Test
  void otherPathsGoToDecodeWithTheirQueryAndItsFieldsComeBack() throws Exception {
    try (Deployment deployment = new Deployment(1, 1)) {
      HttpResponse<String> answer = deployment.get("/v1/models?a=%20b&c");
      assertThat(answer.body()).isEqualTo("{\"object\":\"list\",\"data\":[]}");
      assertThat(answer.headers().firstValue("X-Of-The-Worker")).contains("1");
      assertThat(answer.headers().firstValue("Keep-Alive")).isEmpty();
      assertThat(deployment.consumer.requests().get(0).target()).isEqualTo("/v1/models?a=%20b&c");
      assertThat(deployment.producer.requests()).isEmpty();
    }
  }

  @Test
  void instancesTakeTurnsAndOneThatIsNotThereIsPassedOver() throws Exception {
    URI nobody = URI.create("http://127.0.0.1:1");
    try (Deployment deployment =
        new Deployment(
            1,
            1,
            s -> {
              List<URI> decode = List.of(s.decode().get(0), nobody, s.prefill().get(0));
              return Deployment.with(s, List.of(), decode, null);
            })) {
      for (int i = 0; i < 6; i++) {
        assertThat(deployment.get("/v1/models").statusCode()).isEqualTo(200);
      }
      assertThat(deployment.consumer.requests()).hasSize(2);
      assertThat(deployment.producer.requests()).hasSize(4);
    }
  }

  @Test
  void withoutADecodeInstanceThatCanBeReachedItIsABadGateway() throws Exception {
    URI nobody = URI.create("http://127.0.0.1:1");
    try (Deployment deployment =
        new Deployment(1, 1, s -> Deployment.with(s, List.of(), List.of(nobody), null))) {
      HttpResponse<String> answer = deployment.get("/v1/models");
      assertThat(answer.statusCode()).isEqualTo(502);
      assertThat(answer.body()).contains("no decode instance can be reached");
    }
  }

  @Test
  void aBodyAboveTheLimitIsRefusedAndNamesTheLimit() throws Exception {
    try (Deployment deployment = new Deployment(1, 1)) {
      HttpResponse<String> answer = deployment.post("/v1/completions", "x".repeat((1 << 16) + 1));
      assertThat(answer.statusCode()).isEqualTo(413);
      assertThat(answer.body()).contains("longer than the limit of 65536 bytes");
      // One that asks first is not even sent.
      try (Socket client =
          send(deployment, post("Content-Length: 65537", "Expect: 100-continue"))) {
        assertThat(new String(client.getInputStream().readAllBytes(), UTF_8))
            .startsWith("HTTP/1.1 413")
            .contains("65536");
      }
      assertThat(deployment.consumer.requests()).isEmpty();
    }
  }

  @Test
  void aClientThatReadsOnlyAfterItHasSentAllReadsItsRefusal() throws Exception {
    // More than both sockets' buffers hold.
    String rest = "x".repeat(32 << 20);
    try (Deployment deployment = new Deployment(1, 1)) {
      try (Socket client =
          send(deployment, post("Content-Length: " + rest.length(), "Connection: close") + rest)) {
        assertThat(new String(client.getInputStream().readAllBytes(), UTF_8))
            .startsWith("HTTP/1.1 413")
            .contains("longer than the limit of 65536 bytes");
      }
      try (Socket client = send(deployment, "POST /v1/completions HTTP/9\r\n" + rest)) {
        assertThat(new String(client.getInputStream().readAllBytes(), UTF_8))
            .startsWith("HTTP/1.1 400")
            .contains("not a request of HTTP");
      }
      awaitBodies(deployment, 0);
      assertThat(refused(deployment, "413")).isEqualTo(1);
      assertThat(refused(deployment, "400")).isEqualTo(1);
    }
  }

  @Test
  void aRefusedClientThatIsStillSendingDoesNotOutliveTheSidecar() throws Exception {
    try (Deployment deployment = new Deployment(1, 1);
        Socket client = send(deployment, post("Content-Length: 1000000000"))) {
      assertThat(new String(client.getInputStream().readAllBytes(), UTF_8))
          .startsWith("HTTP/1.1 413");
      // It is still listened to.
      client.getOutputStream().write(new byte[1 << 20]);
      deployment.sidecar.close();
      assertThatThrownBy(
              () -> {
                while (true) {
                  client.getOutputStream().write(new byte[1 << 10]);
                }
              })
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void bodiesThatDoNotFitTogetherAreRefusedUntilThereIsRoom() throws Exception {
    String body = "x".repeat(60_000);
    String head = "POST /v1/other HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n";
    try (Deployment deployment = new Deployment(1, 1)) {
      // Two that have not arrived whole hold all but some of the room.
      try (Socket first = send(deployment, head + body.substring(1));
          Socket second = send(deployment, head + body.substring(1))) {
        awaitBodies(deployment, 2 * 59_999);
        HttpResponse<String> refused = deployment.post("/v1/other", body);
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.body()).contains("--body-memory-mib");
        assertThat(refused(deployment, "503")).isEqualTo(1);
        assertThat(deployment.get("/health").statusCode()).isEqualTo(200);
        first.shutdownOutput();
        awaitBodies(deployment, 59_999);
        assertThat(deployment.post("/v1/other", body).statusCode()).isEqualTo(200);
        second.getOutputStream().write('x');
        assertThat(second.getInputStream().read()).isEqualTo('H');
      }
      awaitBodies(deployment, 0);
    }
  }

  @Test
  void requestsThatWaitBehindOthersDoNotKeepTheirRoomWhenTheClientHangsUp() throws Exception {
    try (SilentWorker worker = new SilentWorker("");
        Deployment deployment =
            new Deployment(1, 1, s -> Deployment.with(s, List.of(), List.of(worker.url()), null))) {
      try (Socket two = send(deployment, completion(STREAMED) + completion(STREAMED))) {
        awaitBodies(deployment, 2 * STREAMED.length());
        assertThat(two.isConnected()).isTrue();
      }
      awaitBodies(deployment, 0);
      // One more is hung up on, and so are those before it.
      try (Socket three = send(deployment, completion(STREAMED).repeat(3))) {
        assertThat(three.getInputStream().read()).isEqualTo(-1);
      }
      awaitBodies(deployment, 0);
    }
  }

  private static double refused(Deployment deployment, String status) {
    return deployment.count("lmcache.sidecar.requests", "route", "refused", "status", status);
  }

  private static void awaitBodies(Deployment deployment, int bytes) throws InterruptedException {
    while (deployment.count("lmcache.sidecar.bodies") != bytes) {
      Thread.sleep(2);
    }
  }

  @Test
  void moreRequestsThanTheLimitAreRefusedUntilOneEnds() throws Exception {
    try (Deployment deployment = new Deployment(1, 1)) {
      CountDownLatch gate = new CountDownLatch(1);
      deployment.consumer.gate = gate;
      List<CompletableFuture<HttpResponse<String>>> held =
          IntStream.range(0, 4)
              .mapToObj(
                  i ->
                      deployment
                          .client()
                          .sendAsync(
                              HttpRequest.newBuilder(deployment.url("/v1/models")).build(),
                              HttpResponse.BodyHandlers.ofString()))
              .toList();
      while (deployment.consumer.requests().size() < 4) {
        Thread.sleep(2);
      }
      HttpResponse<String> refused = deployment.get("/v1/models");
      assertThat(refused.statusCode()).isEqualTo(503);
      assertThat(refused.body()).contains("more than 4 requests");
      // Probes are answered all the same.
      assertThat(deployment.get("/health").statusCode()).isEqualTo(200);
      gate.countDown();
      for (CompletableFuture<HttpResponse<String>> each : held) {
        assertThat(each.get(20, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
      }
      assertThat(deployment.get("/v1/models").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void metricsAndHealthAreItsOwn() throws Exception {
    try (Deployment deployment = new Deployment(2, 4)) {
      deployment.post("/v1/completions", STREAMED);
      HttpResponse<String> metrics = deployment.get("/metrics");
      assertThat(metrics.headers().firstValue("Content-Type").orElse(""))
          .startsWith("text/plain; version=0.0.4");
      assertThat(metrics.body())
          .contains("lmcache_sidecar_prefill_seconds_count{result=\"ok\"} 1")
          .contains("lmcache_sidecar_handover_seconds_count{result=\"complete\"} 1")
          .contains("lmcache_sidecar_resharded_total{result=\"written\"} 2")
          .contains("lmcache_sidecar_bodies_bytes ")
          .contains("lmcache_operations_seconds_count{operation=\"put\"")
          .contains("lmcache_memory_capacity_bytes");
      HttpResponse<String> health = deployment.get("/health");
      assertThat(health.statusCode()).isEqualTo(200);
      assertThat(health.body()).isEqualTo("{\"status\":\"UP\",\"problems\":[]}");
      assertThat(deployment.get("/doctor").statusCode()).isEqualTo(404);
      deployment.redis.close();
      while (deployment.get("/health").statusCode() != 503) {
        Thread.sleep(10);
      }
      assertThat(deployment.get("/health").body()).contains("\"DOWN\"").contains("connection");
      assertThat(deployment.consumer.requests()).hasSize(1);
    }
  }
}
