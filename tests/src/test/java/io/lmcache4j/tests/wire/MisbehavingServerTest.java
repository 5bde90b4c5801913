/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.redis.RequestTimeoutException;
import io.lmcache4j.tests.wire.ScriptedServer.Mischief;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A server that stalls, cuts, resets and answers nonsense, in both directions. Every operation has
 * an outcome in its time, whatever was taken is given back, and the next operation is none the
 * wiser.
 */
class MisbehavingServerTest {

  /** More than the sockets between the two take in. */
  private static final int BYTES = 4 << 20;

  private static final Duration TIMEOUT = Duration.ofMillis(300);

  /** Deadlines are looked at every 100 ms, and a busy machine is late. */
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private static final CacheEngineKey KEY = CacheEngineKey.of("m", 1, 0, 1, DType.BFLOAT16);
  private static final RemoteMetadata METADATA =
      RemoteMetadata.of(MemoryFormat.BINARY_BUFFER, Shape.of(BYTES), DType.NONE);

  private final DirectMemory memory = DirectMemory.create(6L * BYTES);
  private ScriptedServer server;

  @BeforeEach
  void start() throws Exception {
    server = new ScriptedServer();
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    server.close();
    assertThat(memory.leases()).isZero();
    memory.close();
  }

  /** After which the connection is gone by itself. */
  @SuppressWarnings("ImmutableEnumChecker") // Lambdas without state.
  enum Ending {
    CUT_BEFORE_THE_ANSWER((s, p) -> s.finish()),
    CUT_IN_THE_HEADER(
        (s, p) -> {
          s.send("$41");
          s.finish();
        }),
    CUT_BEHIND_THE_HEADER(
        (s, p) -> {
          s.send("$" + p.length + "\r\n");
          s.finish();
        }),
    CUT_IN_THE_PAYLOAD(
        (s, p) -> {
          s.send("$" + p.length + "\r\n");
          s.send(p, 0, p.length / 2);
          s.finish();
        }),
    CUT_BEFORE_THE_END(
        (s, p) -> {
          s.send("$" + p.length + "\r\n");
          s.send(p, 0, p.length);
          s.send("\r");
          s.finish();
        }),
    RESET_BEFORE_THE_ANSWER((s, p) -> s.reset()),
    RESET_IN_THE_PAYLOAD(
        (s, p) -> {
          s.send("$" + p.length + "\r\n");
          s.send(p, 0, p.length / 2);
          s.reset();
        });

    private final Mischief mischief;

    Ending(Mischief mischief) {
      this.mischief = mischief;
    }
  }

  /** After which it is for the client to end the connection. */
  enum Nonsense {
    GARBAGE("\u0000\u0001\u0002 what is this"),
    HTTP("HTTP/1.1 400 Bad Request\r\n\r\n"),
    NO_LENGTH("$abc\r\n"),
    NEGATIVE_LENGTH("$-2\r\n"),
    LENGTH_BEYOND_ALL_BOUNDS("$99999999999999\r\n"),
    STREAMED("$?\r\n;4\r\nabcd\r\n;0\r\n"),
    TOO_MUCH("$1\r\nabc\r\n");

    private final String words;

    Nonsense(String words) {
      this.words = words;
    }
  }

  static Stream<Arguments> endings() {
    return Stream.of(Ending.values())
        .flatMap(
            ending ->
                Stream.of(RedisConnectorOptions.Path.values())
                    .map(path -> Arguments.of(ending, path)));
  }

  @ParameterizedTest
  @MethodSource("endings")
  void aGetWhoseConnectionEndsFailsAtOnce(Ending ending, RedisConnectorOptions.Path path) {
    try (RedisConnector connector = connect(path)) {
      store(connector);
      server.onGet(ending.mischief);

      GetOutcome outcome = join(connector.get(KEY));

      assertThat(outcome).isInstanceOf(GetOutcome.Failed.class);
      everythingIsGivenBack(connector);
      server.onGet(null);
      worksAgain(connector);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aGetThatIsAnsweredWithNonsenseFailsAndTheConnectionIsReplaced(Nonsense nonsense) {
    try (RedisConnector connector = connect(RedisConnectorOptions.Path.AUTO)) {
      store(connector);
      server.onGet((s, p) -> s.send(nonsense.words));
      int before = server.accepted();

      List<GetOutcome> outcomes = join(connector.batchedGet(List.of(KEY, KEY, KEY)));

      // The first answer ends it for all three.
      assertThat(outcomes).allMatch(o -> o instanceof GetOutcome.Failed);
      everythingIsGivenBack(connector);
      server.onGet(null);
      worksAgain(connector);
      assertThat(server.accepted()).isGreaterThan(before);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aGetThatIsNotAnsweredTimesOut(RedisConnectorOptions.Path path) throws Exception {
    try (RedisConnector connector = connect(path)) {
      store(connector);
      server.onGet((s, p) -> s.stall());

      assertTimedOut(join(connector.get(KEY)));

      server.onGet(null);
      server.disconnectAll();
      everythingIsGivenBack(connector);
      worksAgain(connector);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aGetThatStallsInThePayloadTimesOutAndKeepsItsLease(RedisConnectorOptions.Path path)
      throws Exception {
    try (RedisConnector connector = connect(path)) {
      store(connector);
      server.onGet(
          (s, p) -> {
            s.send("$" + p.length + "\r\n");
            s.send(p, 0, p.length / 2);
            s.stall();
          });

      assertTimedOut(join(connector.get(KEY)));

      // On the copying path nothing has been leased yet.
      assertThat(memory.leases()).isEqualTo(path == RedisConnectorOptions.Path.AUTO ? 1 : 0);
      server.onGet(null);
      server.disconnectAll();
      everythingIsGivenBack(connector);
      worksAgain(connector);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anAnswerThatComesTooLateIsDrainedAndTheConnectionGoesOn(RedisConnectorOptions.Path path) {
    try (RedisConnector connector = connect(path)) {
      store(connector);
      server.onGet(
          (s, p) -> {
            Thread.sleep(TIMEOUT.toMillis() * 2);
            s.bulk(p);
          });
      int before = server.accepted();

      assertTimedOut(join(connector.get(KEY)));
      server.onGet(null);
      everythingIsGivenBack(connector);

      assertThat(connector.metrics().drainedBytes()).isEqualTo(BYTES);
      worksAgain(connector);
      assertThat(server.accepted()).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anAnswerThatDripsIsWhole(RedisConnectorOptions.Path path) {
    try (RedisConnector connector = connect(path)) {
      store(connector);
      server.onGet(
          (s, p) -> {
            drip(s, ("$" + p.length + "\r\n").toCharArray());
            int step = p.length / 8 + 1;
            for (int at = 0; at < p.length; at += step) {
              s.send(p, at, Math.min(p.length, at + step));
              Thread.sleep(1);
            }
            drip(s, '\r', '\n');
          });

      hit(join(connector.get(KEY)));
    }
  }

  private static void drip(ScriptedServer.Session session, char... bytes)
      throws IOException, InterruptedException {
    for (char b : bytes) {
      session.send(String.valueOf(b));
      Thread.sleep(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPayloadOfAnotherLengthIsDrainedAndTheConnectionGoesOn(RedisConnectorOptions.Path path) {
    try (RedisConnector connector = connect(path)) {
      store(connector);
      server.onGet((s, p) -> s.bulk(new byte[p.length - 1]));
      int before = server.accepted();

      assertThat(join(connector.get(KEY))).isInstanceOf(GetOutcome.Corrupt.class);

      server.onGet(null);
      everythingIsGivenBack(connector);
      worksAgain(connector);
      assertThat(server.accepted()).isEqualTo(before);
    }
  }

  /** What can be done to a payload on its way in. */
  @SuppressWarnings("ImmutableEnumChecker") // Lambdas without state.
  enum Reading {
    CUT_BEFORE_THE_PAYLOAD((s, p) -> s.finish()),
    CUT_IN_THE_PAYLOAD(
        (s, p) -> {
          s.read(p.length / 2);
          s.finish();
        }),
    RESET_IN_THE_PAYLOAD(
        (s, p) -> {
          s.read(p.length / 2);
          s.reset();
        }),
    CUT_BEFORE_THE_ANSWER(
        (s, p) -> {
          s.read(p.length + 2);
          s.finish();
        }),
    GARBAGE_IN_THE_PAYLOAD(
        (s, p) -> {
          s.read(p.length / 2);
          s.send("\u0000 what is this");
        });

    private final Mischief mischief;

    Reading(Mischief mischief) {
      this.mischief = mischief;
    }
  }

  static Stream<Arguments> readings() {
    return Stream.of(Reading.values())
        .flatMap(
            reading ->
                Stream.of(RedisConnectorOptions.Path.values())
                    // Unmodified, Lettuce does not look at garbage that begins no reply until more
                    // comes.
                    .filter(
                        path ->
                            reading != Reading.GARBAGE_IN_THE_PAYLOAD
                                || path == RedisConnectorOptions.Path.AUTO)
                    .map(path -> Arguments.of(reading, path)));
  }

  @ParameterizedTest
  @MethodSource("readings")
  void aPutWhoseConnectionEndsFailsAtOnce(Reading reading, RedisConnectorOptions.Path path) {
    try (RedisConnector connector = connect(path)) {
      server.onSet(reading.mischief);

      PutOutcome outcome;
      try (KvChunk chunk = chunk()) {
        outcome = join(connector.put(chunk));
      }

      assertThat(outcome)
          .isInstanceOfSatisfying(
              PutOutcome.Failed.class,
              f -> assertThat(f.cause()).isNotInstanceOf(RequestTimeoutException.class));
      everythingIsGivenBack(connector);
      // Half a payload was never stored, and nothing promises one.
      assertThat(server.value("m@1@0@1@bfloat16kv_bytes")).isNull();
      assertThat(server.value("m@1@0@1@bfloat16metadata")).isNull();
      server.onSet(null);
      worksAgain(connector);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPutThatIsNotTakenTimesOutAndKeepsItsLeaseUntilTheConnectionEnds(
      RedisConnectorOptions.Path path) throws Exception {
    try (RedisConnector connector = connect(path)) {
      server.onSet((s, p) -> s.stall());

      PutOutcome outcome;
      try (KvChunk chunk = chunk()) {
        outcome = join(connector.put(chunk));
      }

      assertThat(outcome)
          .isInstanceOfSatisfying(
              PutOutcome.Failed.class,
              f -> assertThat(f.cause()).isInstanceOf(RequestTimeoutException.class));
      assertThat(memory.leases()).isOne();
      assertThat(connector.inFlightBytes()).isEqualTo(BYTES);
      server.onSet(null);
      server.disconnectAll();
      everythingIsGivenBack(connector);
      worksAgain(connector);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPutThatIsTakenTooLateIsWhole(RedisConnectorOptions.Path path) {
    try (RedisConnector connector = connect(path)) {
      server.onSet((s, p) -> Thread.sleep(TIMEOUT.toMillis() * 2));

      PutOutcome outcome;
      try (KvChunk chunk = chunk()) {
        outcome = join(connector.put(chunk));
      }
      assertThat(outcome).isInstanceOf(PutOutcome.Failed.class);
      server.onSet(null);
      everythingIsGivenBack(connector);

      hit(join(connector.get(KEY)));
    }
  }

  @ParameterizedTest
  @EnumSource
  void closingDoesNotWaitForAServerThatHangs(RedisConnectorOptions.Path path) {
    RedisConnector connector = connect(path);
    store(connector);
    server.onGet((s, p) -> s.stall());
    server.onSet((s, p) -> s.stall());
    List<Object> outcomes = new ArrayList<>();
    connector.get(KEY).thenAccept(outcomes::add);
    try (KvChunk chunk = chunk()) {
      connector.put(chunk).thenAccept(outcomes::add);
    }

    connector.close();

    assertThat(outcomes).hasSize(2);
    assertThat(connector.inFlightBytes()).isZero();
    assertThat(memory.leases()).isZero();
  }

  private RedisConnector connect(RedisConnectorOptions.Path path) {
    return RedisConnector.open(
        RedisConnectorOptions.builder(server.url())
            .path(path)
            .memory(memory)
            .timeout(TIMEOUT)
            .closeTimeout(TIMEOUT)
            .dataConnections(1)
            .build());
  }

  private void store(RedisConnector connector) {
    try (KvChunk chunk = chunk()) {
      assertThat(join(connector.put(chunk))).isInstanceOf(PutOutcome.Stored.class);
    }
  }

  private KvChunk chunk() {
    ChunkBuffer payload = Objects.requireNonNull(memory.tryLease(BYTES));
    Words.fill(payload.nio(), Words.SENT);
    return new KvChunk(KEY, METADATA, payload);
  }

  private static <T> T join(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(LIMIT.toMillis(), TimeUnit.MILLISECONDS).join();
  }

  private static void assertTimedOut(GetOutcome outcome) {
    assertThat(outcome)
        .isInstanceOfSatisfying(
            GetOutcome.Failed.class,
            f -> assertThat(f.cause()).isInstanceOf(RequestTimeoutException.class));
  }

  private static void hit(GetOutcome outcome) {
    assertThat(outcome).isInstanceOf(GetOutcome.Hit.class);
    try (KvChunk chunk = ((GetOutcome.Hit) outcome).chunk()) {
      assertThat(Words.isSent(Words.only(chunk.payload().nio()))).isTrue();
    }
  }

  private void everythingIsGivenBack(RedisConnector connector) {
    await()
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(5))
        .until(() -> memory.leases() == 0 && connector.inFlightBytes() == 0);
  }

  /** Lettuce reconnects in its own time; until then operations fail at once. */
  private void worksAgain(RedisConnector connector) {
    await()
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(5))
        .until(
            () -> {
              try (KvChunk chunk = chunk()) {
                return join(connector.put(chunk)) instanceof PutOutcome.Stored;
              }
            });
    hit(join(connector.get(KEY)));
  }
}
