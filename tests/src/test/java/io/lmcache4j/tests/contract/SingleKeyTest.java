/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.DtypeCountException;
import io.lmcache4j.core.metadata.LengthMismatchException;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.redis.ChunkRefusedException;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a put stores, and what a get makes of whatever stands under the key. */
final class SingleKeyTest extends SingleKeyContract {

  private static final ChunkKey KEY = Samples.key(0xabc);

  /** Of {@link Samples#METADATA}. */
  private static final KvGeometry GEOMETRY =
      KvGeometry.of(2, 1, 8, DType.BFLOAT16).withChunkSize(16);

  private static RemoteMetadata opaqueAsRead(int length) {
    return new RemoteMetadata(
        length,
        MemoryFormat.BINARY_BUFFER,
        List.of(Shape.of(length, 0, 0, 0)),
        List.of(DType.NONE));
  }

  private RedisConnector withGeometry() {
    return open(options -> options.geometry(GEOMETRY));
  }

  private static RemoteMetadata metadataOf(GetOutcome outcome) {
    return ((GetOutcome.Hit) outcome).chunk().metadata();
  }

  /** The outcome, after which a good chunk is read over each connection. */
  private GetOutcome outcome(RedisConnector with) {
    GetOutcome outcome = with.sync().get(KEY);
    ChunkKey good = Samples.key(1);
    raw.set(good.toString(), Samples.payload());
    for (GetOutcome after : with.sync().batchedGet(List.of(good, good, good, good))) {
      assertThat(bytesOf(after)).isEqualTo(Samples.payload());
    }
    return outcome;
  }

  @Test
  void aChunkIsItsBarePayloadUnderItsKeyAlone() {
    stored(KEY);
    assertThat(raw.keys()).containsExactly(KEY.toString());
    assertThat(raw.get(KEY.toString())).isEqualTo(Samples.payload());
    assertThat(raw.number("PTTL", KEY)).isEqualTo(-1);
    assertThat(bytesOf(outcome(connector))).isEqualTo(Samples.payload());
  }

  /** {@code values_redis.json} has one row of this layout; the others are WrittenBytesTest's. */
  @Test
  void theBytesAreThoseOfLmcache() throws IOException {
    JsonNode row =
        Vectors.rows("values_redis.json", "cases").stream()
            .filter(each -> each.get("name").asText().equals("resp_single_key"))
            .findFirst()
            .orElseThrow();
    String text = row.get("key_string").asText();
    byte[] value = row.get("redis").get(text).get("base64").binaryValue();
    ChunkKey key = ChunkKey.parse(text);
    raw.set(text, value);
    assertThat(bytesOf(get(key))).isEqualTo(value);
    raw.call("DEL", text);
    assertThat(put(key, Samples.METADATA, value)).isInstanceOf(PutOutcome.Stored.class);
    assertThat(raw.keys()).containsExactly(text);
    assertThat(raw.get(text)).isEqualTo(value);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1023, 70_000, 3_000_000})
  void withoutAGeometryThePayloadIsAnOpaqueBufferOfWhateverLength(int length) {
    byte[] payload = Samples.pattern(length);
    raw.set(KEY.toString(), payload);
    GetOutcome outcome = outcome(connector);
    assertThat(bytesOf(outcome)).isEqualTo(payload);
    assertThat(metadataOf(outcome)).isEqualTo(opaqueAsRead(length));
    raw.call("DEL", KEY);
    assertThat(put(KEY, Samples.opaque(length), payload))
        .isEqualTo(new PutOutcome.Stored(KEY, length));
    assertThat(raw.get(KEY.toString())).isEqualTo(payload);
  }

  @Test
  void withAGeometryAPayloadIsATensor() {
    RedisConnector known = withGeometry();
    assertThat(put(known, KEY, Samples.METADATA, Samples.payload()))
        .isEqualTo(new PutOutcome.Stored(KEY, Samples.BYTES));
    GetOutcome outcome = outcome(known);
    assertThat(bytesOf(outcome)).isEqualTo(Samples.payload());
    assertThat(metadataOf(outcome)).isEqualTo(Samples.METADATA);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1023, 1025, 3_000_000})
  void withAGeometryAPayloadOfAnotherLengthIsCorruptAndIsNotPut(int length) {
    RedisConnector known = withGeometry();
    raw.set(KEY.toString(), Samples.pattern(length));
    String disagreement =
        "the payload has " + length + " bytes, a chunk of this geometry " + Samples.BYTES;
    assertThat(reasonOf(outcome(known))).isEqualTo(disagreement);
    raw.call("FLUSHALL");
    PutOutcome refused = put(known, KEY, Samples.opaque(length), Samples.pattern(length));
    assertThat(((PutOutcome.Failed) refused).cause())
        .isInstanceOf(ChunkRefusedException.class)
        .hasMessageContaining(KEY.toString())
        .hasMessageContaining(disagreement);
    assertThat(raw.keys()).isEmpty();
  }

  @Test
  void absentIsAMissAndAsksNobodyToWait() {
    assertThat(outcome(connector)).isEqualTo(new GetOutcome.Miss(KEY));
  }

  @Test
  void aHeaderThatIsNotWrittenHasToBeTrueAllTheSame() {
    RemoteMetadata wrong =
        new RemoteMetadata(
            Samples.BYTES,
            MemoryFormat.KV_2LTD,
            Samples.METADATA.shapes(),
            List.of(DType.BFLOAT16, DType.BFLOAT16));
    assertThat(((PutOutcome.Failed) put(KEY, wrong, Samples.payload())).cause())
        .isInstanceOf(DtypeCountException.class);
    assertThat(((PutOutcome.Failed) put(KEY, Samples.METADATA, Samples.pattern(1023))).cause())
        .isInstanceOf(LengthMismatchException.class);
    assertThat(raw.keys()).isEmpty();
  }

  @Test
  void aKeyOfAnotherTypeFailsWithTheServersWords() {
    raw.call("LPUSH", KEY, "x");
    assertThat(failureOf(outcome(connector))).contains(KEY.toString(), "WRONGTYPE");
    assertThat(raw.has(KEY.toString())).isTrue();
  }

  @Test
  void withoutMemoryTheChunkStaysWhereItIsAndIsReadOnceThereIsRoom() {
    stored(KEY);
    try (DirectMemory small = DirectMemory.create(2L * HostMemory.ALIGNMENT)) {
      ChunkBuffer all = Objects.requireNonNull(small.tryLease(2 * HostMemory.ALIGNMENT));
      assertThat(connector.sync().get(KEY, small))
          .isEqualTo(new GetOutcome.NoMemory(KEY, Samples.BYTES));
      all.release();
      assertThat(bytesOf(connector.sync().get(KEY, small))).isEqualTo(Samples.payload());
      assertThat(small.leases()).isZero();
    }
  }

  @Test
  void aPayloadThatTheServerHasNoRoomForIsNotThere() {
    raw.call("CONFIG", "SET", "maxmemory-policy", "noeviction");
    raw.call("CONFIG", "SET", "maxmemory", "1mb");
    try {
      assertThat(failureOf(put(KEY, Samples.METADATA, Samples.payload())))
          .contains(KEY.toString(), "OOM");
      assertThat(raw.keys()).isEmpty();
    } finally {
      raw.call("CONFIG", "SET", "maxmemory", "0");
    }
    stored(KEY);
  }

  @Test
  void aBatchHasAnOutcomeForEachKeyAtItsPlace() {
    List<ChunkKey> keys = LongStream.range(0, 5).mapToObj(i -> (ChunkKey) Samples.key(i)).toList();
    List<KvChunk> chunks =
        keys.stream().map(key -> chunk(key, Samples.METADATA, Samples.payload())).toList();
    List<PutOutcome> puts = connector.sync().batchedPut(chunks);
    chunks.forEach(KvChunk::close);
    assertThat(puts).extracting(PutOutcome::key).containsExactlyElementsOf(keys);
    assertThat(puts).allMatch(PutOutcome.Stored.class::isInstance);
    assertThat(connector.sync().batchedContains(keys)).isEqualTo(5);
    raw.call("DEL", keys.get(1), keys.get(3));
    raw.call("LPUSH", keys.get(3), "x");
    assertThat(connector.sync().batchedContains(keys)).isEqualTo(1);
    List<GetOutcome> outcomes = connector.sync().batchedGet(keys);
    assertThat(outcomes).extracting(GetOutcome::key).containsExactlyElementsOf(keys);
    assertThat(bytesOf(outcomes.get(0))).isEqualTo(Samples.payload());
    assertThat(outcomes.get(1)).isEqualTo(new GetOutcome.Miss(keys.get(1)));
    assertThat(bytesOf(outcomes.get(2))).isEqualTo(Samples.payload());
    assertThat(failureOf(outcomes.get(3))).contains("WRONGTYPE");
    assertThat(bytesOf(outcomes.get(4))).isEqualTo(Samples.payload());
  }

  @Test
  void aTimeToLiveIsPartOfTheSet() {
    RedisConnector expiring = open(options -> options.ttl(Duration.ofHours(1)));
    put(expiring, KEY, Samples.METADATA, Samples.payload());
    assertThat(raw.number("PTTL", KEY)).isBetween(3_500_000L, 3_600_000L);
    assertThat(bytesOf(get(KEY))).isEqualTo(Samples.payload());
    stored(KEY);
    assertThat(raw.number("PTTL", KEY)).isEqualTo(-1);
  }

  @Test
  void afterItsTimeAChunkIsAMiss() {
    RedisConnector expiring = open(options -> options.ttl(Duration.ofMillis(20)));
    put(expiring, KEY, Samples.METADATA, Samples.payload());
    await().until(() -> !raw.has(KEY.toString()));
    assertThat(get(KEY)).isEqualTo(new GetOutcome.Miss(KEY));
  }

  @Test
  void whatIsGivenUpReturnsItsLease() {
    int length = 8 << 20;
    byte[] payload = Samples.pattern(length);
    raw.set(KEY.toString(), payload);
    for (int i = 0; i < 8; i++) {
      CompletableFuture<GetOutcome> outcome = connector.get(KEY).toCompletableFuture();
      boolean landing = i % 2 == 0;
      if (landing) {
        await().pollInterval(Duration.ofMillis(1)).until(() -> memory.leases() > 0);
      }
      if (!outcome.cancel(false)) {
        assertThat(bytesOf(outcome.join())).isEqualTo(payload);
      }
    }
    assertThat(bytesOf(outcome(connector))).isEqualTo(payload);
  }

  @Test
  void theCallerMayCloseItsChunkAsSoonAsPutReturns() {
    int length = 8 << 20;
    byte[] payload = Samples.pattern(length);
    KvChunk chunk = chunk(KEY, Samples.opaque(length), payload);
    CompletableFuture<PutOutcome> outcome = connector.put(chunk).toCompletableFuture();
    chunk.close();
    assertThat(outcome.join()).isInstanceOf(PutOutcome.Stored.class);
    assertThat(raw.get(KEY.toString())).isEqualTo(payload);
  }
}
