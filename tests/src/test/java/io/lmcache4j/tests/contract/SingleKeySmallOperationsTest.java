/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.redis.EntryInfo;
import io.lmcache4j.redis.ListedKey;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Lookups, removal, listing and inspection where a chunk is one key. */
final class SingleKeySmallOperationsTest extends SingleKeyContract {

  private static final ChunkKey KEY = Samples.key(0x21);

  private static final RemoteMetadata OPAQUE =
      new RemoteMetadata(
          Samples.BYTES,
          MemoryFormat.BINARY_BUFFER,
          List.of(Shape.of(Samples.BYTES, 0, 0, 0)),
          List.of(DType.NONE));

  private EntryInfo inspected() {
    List<String> before = raw.keys();
    EntryInfo info = connector.sync().inspect(KEY);
    assertThat(raw.keys()).isEqualTo(before);
    return info;
  }

  @Test
  void theKeyAloneDecidesWhetherAChunkIsThere() {
    assertThat(connector.sync().exists(KEY)).isFalse();
    stored(KEY);
    assertThat(connector.sync().exists(KEY)).isTrue();
    assertThat(connector.sync().remove(KEY)).isTrue();
    assertThat(connector.sync().remove(KEY)).isFalse();
    assertThat(raw.keys()).isEmpty();
  }

  @Test
  void aPrefixIsAsLongAsItIsWithoutHoles() {
    List<ChunkKey> keys =
        LongStream.range(0, 1100).mapToObj(i -> (ChunkKey) Samples.key(i)).toList();
    for (ChunkKey key : keys) {
      raw.send("SET", key, "x");
    }
    keys.forEach(key -> raw.reply());
    assertThat(connector.sync().batchedContains(keys)).isEqualTo(1100);
    for (int hole : new int[] {1099, 1024, 1023, 0}) {
      raw.call("DEL", keys.get(hole));
      assertThat(connector.sync().batchedContains(keys)).isEqualTo(hole);
    }
  }

  @Test
  void everyKeyIsListedAndDecodedWhereItCanBe() {
    List<ListedKey> expected = new ArrayList<>();
    for (int i = 0; i < 1500; i++) {
      ChunkKey key = CacheEngineKey.of("org/model", 8, i % 8, i, DType.BFLOAT16);
      raw.send("SET", key, "x");
      expected.add(new ListedKey(key.toString(), key));
    }
    for (int i = 0; i < 1500; i++) {
      raw.reply();
    }
    raw.call("SET", "session:1", "x");
    expected.add(new ListedKey("session:1", null));
    assertThat(connector.sync().list()).containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void aGoodEntryHasNoProblems() {
    stored(KEY);
    assertThat(inspected())
        .isEqualTo(new EntryInfo(KEY, false, true, OPAQUE, 1024, -1, -1, List.of()));
    RedisConnector known =
        open(options -> options.geometry(KvGeometry.of(2, 1, 8, DType.BFLOAT16).withChunkSize(16)));
    assertThat(known.sync().inspect(KEY).metadata()).isEqualTo(Samples.METADATA);
  }

  @Test
  void anAbsentEntryIsAbsent() {
    assertThat(inspected()).isEqualTo(new EntryInfo(KEY, false, false, null, 0, -2, -2, List.of()));
  }

  @Test
  void whatIsWrongIsTold() {
    raw.call("SADD", KEY, "x");
    assertThat(inspected().problems()).containsExactly("the key holds a set and not a string");
    raw.call("DEL", KEY);
    raw.set(KEY.toString(), Samples.pattern(1000));
    RedisConnector known =
        open(options -> options.geometry(KvGeometry.of(2, 1, 8, DType.BFLOAT16).withChunkSize(16)));
    assertThat(known.sync().inspect(KEY).problems())
        .singleElement()
        .asString()
        .contains("1000", "1024");
  }

  @Test
  void timesToLiveAreTold() {
    RedisConnector expiring = open(options -> options.ttl(Duration.ofMinutes(1)));
    put(expiring, KEY, Samples.METADATA, Samples.payload());
    assertThat(inspected().payloadTtlMillis()).isBetween(1L, 60_000L);
  }

  @Test
  void aChunkOfAnotherLayoutIsNamed() {
    raw.set(KEY + "metadata", Samples.header());
    raw.set(KEY + "kv_bytes", Samples.payload());
    assertThat(inspected().problems())
        .singleElement()
        .asString()
        .contains("the two-key layout (redis://)", "finds a miss");
    for (String older : List.of(KEY + ":metadata", "{" + KEY + "}:metadata")) {
      raw.call("FLUSHALL");
      raw.set(older, Samples.header());
      assertThat(inspected().problems()).singleElement().asString().contains("layout=pair");
    }
    stored(KEY);
    assertThat(inspected().problems()).isEmpty();
  }

  @Test
  void theServersRefusalIsTold() {
    raw.call("ACL", "SETUSER", "mute", "reset", "on", ">mute", "~*", "+@all", "-exists", "-set");
    try {
      RedisConnector mute = open(options -> options.url(variant.urlAs("mute:mute")));
      assertThatThrownBy(() -> mute.sync().exists(KEY))
          .isInstanceOf(RedisConnectorException.class)
          .hasMessageContaining("NOPERM")
          .hasMessageContaining(KEY.toString());
      PutOutcome refused = put(mute, KEY, Samples.METADATA, Samples.payload());
      assertThat(failureOf(refused)).contains(KEY.toString(), "NOPERM");
    } finally {
      raw.call("ACL", "DELUSER", "mute");
    }
  }
}
