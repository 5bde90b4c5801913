/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeySyntaxException;
import io.lmcache4j.core.metadata.DtypeCountException;
import io.lmcache4j.core.metadata.GroupCountException;
import io.lmcache4j.core.metadata.IntRangeException;
import io.lmcache4j.core.metadata.LengthMismatchException;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.metadata.ShapeRankException;
import io.lmcache4j.core.metadata.UnsupportedDtypeException;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What is stored, what is refused before anything is sent, and what the server refuses. */
final class PutOutcomesTest extends ConnectorContract {

  private static final ChunkKey KEY = Samples.key(0xdef);

  private void comesBack(RemoteMetadata metadata, int... header) {
    byte[] payload = Samples.pattern((int) metadata.length());
    assertThat(put(KEY, metadata, payload))
        .isEqualTo(new PutOutcome.Stored(KEY, metadata.length()));
    assertThat(raw.get(header(KEY))).isEqualTo(Samples.ints(header));
    assertThat(raw.get(payload(KEY))).isEqualTo(payload);
    GetOutcome outcome = get(KEY);
    assertThat(bytesOf(outcome)).isEqualTo(payload);
    assertThat(((GetOutcome.Hit) outcome).chunk().metadata())
        .isEqualTo(
            new RemoteMetadata(
                metadata.length(),
                metadata.format(),
                metadata.shapes(),
                metadata.effectiveDtypes()));
  }

  @Test
  void missingDtypesAreFilledInWithTheFirstAndTheCallersListStaysAsItIs() {
    List<DType> given = new ArrayList<>(List.of(DType.FLOAT16));
    List<Shape> shapes = List.of(Shape.of(2, 1, 4, 8), Shape.of(1, 1, 4, 8), Shape.of(1, 2, 4, 8));
    comesBack(
        new RemoteMetadata(320, MemoryFormat.KV_2LTD, shapes, given),
        320,
        1,
        2,
        2,
        1,
        4,
        8,
        2,
        1,
        1,
        4,
        8,
        2,
        1,
        2,
        4,
        8);
    assertThat(given).containsExactly(DType.FLOAT16);
  }

  @Test
  void withoutAnyDtypeItIsBfloat16() {
    comesBack(
        new RemoteMetadata(1024, MemoryFormat.KV_2LTD, List.of(Shape.of(2, 2, 16, 8)), List.of()),
        1024,
        1,
        3,
        2,
        2,
        16,
        8);
  }

  @Test
  void shapesOfOneToFourDimensionsArePaddedWithZeros() {
    comesBack(
        RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(12), DType.UINT8), 12, 1, 6, 12, 0, 0, 0);
    comesBack(
        RemoteMetadata.of(MemoryFormat.EC_TD, Shape.of(3, 4), DType.FLOAT32), 48, 7, 4, 3, 4, 0, 0);
    comesBack(
        RemoteMetadata.of(MemoryFormat.KV_T2D, Shape.of(3, 2, 4), DType.FLOAT64),
        192,
        2,
        5,
        3,
        2,
        4,
        0);
    comesBack(
        RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, 3, 4, 5), DType.FLOAT8_E5M2),
        120,
        1,
        8,
        2,
        3,
        4,
        5);
  }

  @Test
  void upToFourGroupsComeBackWithTheirOwnShapesAndDtypes() {
    List<Shape> shapes =
        List.of(Shape.of(2, 1, 4, 8), Shape.of(1, 1, 5, 6), Shape.of(4, 2), Shape.of(3));
    List<DType> dtypes = List.of(DType.BFLOAT16, DType.UINT8, DType.FLOAT32, DType.FLOAT16);
    int[] header = {0, 1, 3, 2, 1, 4, 8, 6, 1, 1, 5, 6, 4, 4, 2, 0, 0, 2, 3, 0, 0, 0};
    int[] bytes = {128, 158, 190, 196};
    for (int groups = 1; groups <= 4; groups++) {
      int[] expected = Arrays.copyOf(header, 2 + 5 * groups);
      expected[0] = bytes[groups - 1];
      comesBack(
          RemoteMetadata.of(
              MemoryFormat.KV_2LTD, shapes.subList(0, groups), dtypes.subList(0, groups)),
          expected);
    }
  }

  @Test
  void anEmptyPayloadIsStoredAndFound() {
    RemoteMetadata empty =
        RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, 1, 0, 8), DType.UINT8);
    assertThat(put(KEY, empty, new byte[0])).isEqualTo(new PutOutcome.Stored(KEY, 0));
    assertThat(raw.get(payload(KEY))).isEmpty();
    assertThat(raw.has(payload(KEY))).isTrue();
    assertThat(bytesOf(get(KEY))).isEmpty();
  }

  @Test
  void overwritingReplacesHeaderAndPayload() {
    stored(KEY);
    comesBack(
        RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, 2, 5, 8), DType.BFLOAT16),
        320,
        1,
        3,
        2,
        2,
        5,
        8);
  }

  private record Refusal(
      String what,
      ChunkKey key,
      RemoteMetadata metadata,
      int payload,
      Class<? extends LmcacheException> by) {}

  private static Stream<Refusal> refusals() {
    Shape shape = Shape.of(2, 2, 16, 8);
    MemoryFormat kv = MemoryFormat.KV_2LTD;
    return Stream.of(
        new Refusal(
            "more dtypes than shapes",
            KEY,
            new RemoteMetadata(1024, kv, List.of(shape), List.of(DType.BFLOAT16, DType.BFLOAT16)),
            1024,
            DtypeCountException.class),
        new Refusal(
            "no group",
            KEY,
            new RemoteMetadata(0, kv, List.of(), List.of()),
            0,
            GroupCountException.class),
        new Refusal(
            "65 groups",
            KEY,
            RemoteMetadata.of(kv, Collections.nCopies(65, Shape.of(1)), List.of(DType.UINT8)),
            65,
            GroupCountException.class),
        new Refusal(
            "five dimensions",
            KEY,
            RemoteMetadata.of(kv, Shape.of(1, 2, 2, 16, 8), DType.BFLOAT16),
            1024,
            ShapeRankException.class),
        new Refusal(
            "a dtype that no header can say",
            KEY,
            RemoteMetadata.of(kv, shape, DType.INT64),
            4096,
            UnsupportedDtypeException.class),
        new Refusal(
            "a dimension beyond int32",
            KEY,
            new RemoteMetadata(0, kv, List.of(Shape.of(1L << 31, 0)), List.of(DType.UINT8)),
            0,
            IntRangeException.class),
        new Refusal(
            "a negative dimension",
            KEY,
            new RemoteMetadata(1024, kv, List.of(Shape.of(-2, -2, 16, 8)), List.of(DType.BFLOAT16)),
            1024,
            IntRangeException.class),
        new Refusal(
            "a length that is not that of the shapes",
            KEY,
            new RemoteMetadata(1000, kv, List.of(shape), List.of(DType.BFLOAT16)),
            1000,
            LengthMismatchException.class),
        new Refusal(
            "a payload of another length",
            KEY,
            Samples.METADATA,
            1023,
            LengthMismatchException.class),
        new Refusal(
            "a key without a dtype",
            CacheEngineKey.of("m", 1, 0, 1L, DType.NONE),
            Samples.METADATA,
            1024,
            KeySyntaxException.class));
  }

  @TestFactory
  Stream<DynamicTest> whatCannotBeSaidIsRefusedAndTheDatabaseIsUnchanged() {
    return refusals()
        .map(
            refusal ->
                dynamicTest(
                    refusal.what(),
                    () -> {
                      raw.call("FLUSHALL");
                      stored(KEY);
                      PutOutcome outcome =
                          put(
                              refusal.key(),
                              refusal.metadata(),
                              Samples.pattern(refusal.payload()));
                      assertThat(outcome).isInstanceOf(PutOutcome.Failed.class);
                      LmcacheException cause = ((PutOutcome.Failed) outcome).cause();
                      assertThat(cause).isInstanceOf(refusal.by());
                      assertThat(cause.getMessage()).contains(refusal.key().toString());
                      assertThat(raw.keys()).containsExactly(payload(KEY), header(KEY));
                      assertThat(raw.get(header(KEY))).isEqualTo(Samples.header());
                      assertThat(raw.get(payload(KEY))).isEqualTo(Samples.payload());
                    }));
  }

  @Test
  void aLeaseThatIsGoneIsRefused() {
    KvChunk chunk = chunk(KEY, Samples.METADATA, Samples.payload());
    chunk.close();
    assertThat(connector.sync().put(chunk)).isInstanceOf(PutOutcome.Failed.class);
    assertThat(raw.keys()).isEmpty();
  }

  @Test
  void aPayloadThatTheServerHasNoRoomForLeavesNoMetadata() {
    long used = mostMemoryUsed();
    raw.call("CONFIG", "SET", "maxmemory-policy", "noeviction");
    raw.call("CONFIG", "SET", "maxmemory", Long.toString(used + (2 << 20)));
    try {
      int length = 16 << 20;
      assertThat(failureOf(put(KEY, Samples.opaque(length), Samples.pattern(length))))
          .contains(KEY.toString(), "OOM");
      assertThat(raw.keys()).isEmpty();
      assertThat(connector.sync().exists(KEY)).isFalse();
    } finally {
      raw.call("CONFIG", "SET", "maxmemory", "0");
    }
    stored(KEY);
  }

  private long mostMemoryUsed() {
    return raw.masters().stream()
        .mapToLong(master -> Long.parseLong(master.field("used_memory", "INFO", "memory")))
        .max()
        .orElseThrow();
  }

  @Test
  void aUserWithoutPermissionHearsTheServersWordsAndStoresNothing() {
    raw.call("ACL", "SETUSER", "reader", "reset", "on", ">reader-secret", "~*", "+@all", "-set");
    raw.call("ACL", "SETUSER", "blind", "reset", "on", ">blind-secret", "~*", "+@all", "-get");
    try {
      RedisConnector reader = open(options -> options.url(as("reader", "reader-secret")));
      assertThat(failureOf(put(reader, KEY, Samples.METADATA, Samples.payload())))
          .contains(KEY.toString(), "NOPERM")
          .doesNotContain("reader-secret");
      assertThat(raw.keys()).isEmpty();
      stored(KEY);
      RedisConnector blind = open(options -> options.url(as("blind", "blind-secret")));
      assertThat(failureOf(blind.sync().get(KEY)))
          .contains(KEY.toString(), "NOPERM")
          .doesNotContain("blind-secret");
      assertThat(bytesOf(reader.sync().get(KEY))).isEqualTo(Samples.payload());
    } finally {
      raw.call("ACL", "DELUSER", "reader", "blind");
    }
  }

  @Test
  void aPayloadThatIsRefusedTakesTheMetadataBackWithIt() {
    raw.call("ACL", "SETUSER", "half", "reset", "on", "nopass", "+@all", "~*metadata");
    try {
      RedisConnector half = open(options -> options.url(as("half", "any")));
      assertThat(failureOf(put(half, KEY, Samples.METADATA, Samples.payload())))
          .contains(KEY.toString(), "NOPERM");
      assertThat(raw.keys()).isEmpty();
    } finally {
      raw.call("ACL", "DELUSER", "half");
    }
  }

  @Test
  void aUserWithoutAPasswordIsLoggedIn() {
    raw.call("ACL", "SETUSER", "writer", "reset", "on", "nopass", "+@all", "~m@*");
    try {
      RedisConnector writer = open(options -> options.url(variant.urlAs("writer")));
      assertThat(put(writer, KEY, Samples.METADATA, Samples.payload()))
          .isInstanceOf(PutOutcome.Stored.class);
      ChunkKey foreign = CacheEngineKey.of("n", 1, 0, 1L, DType.BFLOAT16);
      assertThat(failureOf(put(writer, foreign, Samples.METADATA, Samples.payload())))
          .contains("NOPERM");
    } finally {
      raw.call("ACL", "DELUSER", "writer");
    }
  }

  private String as(String user, String password) {
    return variant.urlAs(user + ":" + password);
  }

  @Test
  void aPayloadBeyondTheServersLimitFailsAndTheConnectorGoesOn() {
    // The server hangs up. In a cluster commands wait for a connection to come back, so this one
    // is tried again and again until its time is up.
    RedisConnector patient = open(options -> options.timeout(Duration.ofSeconds(2)));
    raw.call("CONFIG", "SET", "proto-max-bulk-len", "1048576");
    try {
      int length = 4 << 20;
      assertThat(put(patient, KEY, Samples.opaque(length), Samples.pattern(length)))
          .isInstanceOf(PutOutcome.Failed.class);
      assertThat(raw.keys()).isEmpty();
    } finally {
      raw.call("CONFIG", "SET", "proto-max-bulk-len", "536870912");
    }
    await()
        .until(
            () ->
                put(patient, KEY, Samples.METADATA, Samples.payload())
                    instanceof PutOutcome.Stored);
  }
}
