/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeySyntaxException;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.metadata.ShapeRankException;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Key texts, of today and of every generation before, and what else depends on the release. */
final class KeysTest extends ConnectorContract {

  private void roundTrip(ChunkKey key, String text) {
    raw.call("FLUSHALL");
    stored(key);
    assertThat(raw.keys()).containsExactly(text + "kv_bytes", text + "metadata");
    assertThat(connector.sync().exists(key)).isTrue();
    assertThat(bytesOf(get(key))).isEqualTo(Samples.payload());
    assertThat(connector.sync().list())
        .singleElement()
        .satisfies(
            listed -> {
              assertThat(listed.name()).isEqualTo(text);
              assertThat(listed.key()).isEqualTo(key);
            });
    assertThat(connector.sync().remove(key)).isTrue();
    assertThat(raw.keys()).isEmpty();
  }

  @Test
  void unusualKeysAreWrittenVerbatim() {
    roundTrip(
        CacheEngineKey.of("a model with spaces", 1, 0, "ff", DType.FLOAT16),
        "a model with spaces@1@0@ff@half");
    roundTrip(
        CacheEngineKey.of("/models/模型/été😀", 8, 7, -1L, DType.FLOAT32),
        "/models/模型/été😀@8@7@-1@float");
    roundTrip(
        CacheEngineKey.of("user@host/model", 1, 0, "00ff", DType.FLOAT8_E4M3FN),
        "user@host/model@1@0@00ff@fp8_e4m3fn");
    roundTrip(
        CacheEngineKey.of("{m}*[a]?\\\r\n\u0000\"", 1, 0, "ff", DType.UINT8),
        "{m}*[a]?\\\r\n\u0000\"@1@0@ff@uint8");
    roundTrip(
        CacheEngineKey.of("m".repeat(70_000), 1, 0, "ff", DType.UINT8),
        "m".repeat(70_000) + "@1@0@ff@uint8");
  }

  @Test
  void tagsKeepTheirOrderAndStandBehindTheLayer() {
    Map<String, String> tags = new LinkedHashMap<>();
    tags.put("zeta", "1");
    tags.put("alpha", "50%");
    tags.put("user name", "");
    CacheEngineKey key = CacheEngineKey.of("m", 2, 1, "1f", DType.BFLOAT16).withTags(tags);
    String expected = "@zeta%1@alpha%50%@user name%";
    roundTrip(key, "m@2@1@1f@bfloat16" + expected);
    roundTrip(new LayerCacheEngineKey(key, 31), "m@2@1@1f@bfloat16@31" + expected);
  }

  @Test
  void everyLayerIsAKeyOfItsOwn() {
    CacheEngineKey key = Samples.key(0x5);
    List<LayerCacheEngineKey> layers = key.splitLayers(3);
    layers.forEach(this::stored);
    assertThat(connector.sync().batchedContains(layers)).isEqualTo(3);
    assertThat(connector.sync().exists(key)).isFalse();
    assertThat(raw.has("m@1@0@5@bfloat16@2metadata")).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "0.3.0,  vllm@m@1@0@DIGEST",
    "0.3.2,  vllm@m@1@0@DIGEST",
    "0.3.3,  vllm@m@1@0@-42",
    "0.3.5,  vllm@m@1@0@-42@tag%v",
    "0.3.6,  vllm@m@1@0@-42ab@tag%v",
    "0.3.9,  vllm@m@1@0@-42ab@tag%v",
    "0.3.9.post2, vllm@m@1@0@-42ab@bfloat16@tag%v",
    "0.3.12, vllm@m@1@0@-42ab@bfloat16@tag%v",
    "0.3.13, m@1@0@-42ab@bfloat16@tag%v",
    "0.5.6,  m@1@0@-42ab@bfloat16@tag%v",
  })
  void keysAreThoseOfTheRelease(String version, String text) {
    String expected = text.replace("DIGEST", "0123456789abcdef".repeat(4));
    String hash = expected.split("@", -1)[expected.startsWith("vllm@") ? 4 : 3];
    CacheEngineKey key = CacheEngineKey.of("m", 1, 0, hash, DType.BFLOAT16);
    if (expected.contains("%")) {
      key = key.withTags(Map.of("tag", "v"));
    }
    RedisConnector old = open(options -> options.lmcacheVersion(LmcacheVersion.parse(version)));
    assertThat(put(old, key, Samples.METADATA, Samples.payload()))
        .isInstanceOf(PutOutcome.Stored.class);
    assertThat(raw.keys()).containsExactly(expected + "kv_bytes", expected + "metadata");
    assertThat(raw.get(expected + "metadata")).isEqualTo(Samples.header());
    assertThat(bytesOf(old.sync().get(key))).isEqualTo(Samples.payload());
    assertThat(old.sync().batchedContains(List.of(key, Samples.key(1)))).isEqualTo(1);
    assertThat(old.sync().remove(key)).isTrue();
  }

  @Test
  void whatAReleaseCannotSayIsRefused() {
    RedisConnector old = open(options -> options.lmcacheVersion(LmcacheVersion.parse("0.3.3")));
    CacheEngineKey hex = CacheEngineKey.of("m", 1, 0, "ff", DType.BFLOAT16);
    PutOutcome outcome = put(old, hex, Samples.METADATA, Samples.payload());
    assertThat(((PutOutcome.Failed) outcome).cause()).isInstanceOf(KeySyntaxException.class);
    assertThat(((GetOutcome.Failed) old.sync().get(hex)).cause())
        .isInstanceOf(KeySyntaxException.class);
    assertThat(raw.keys()).isEmpty();
  }

  @Test
  void numbersOfFormatsAreThoseOfTheRelease() {
    RedisConnector old = open(options -> options.lmcacheVersion(LmcacheVersion.parse("0.3.0")));
    CacheEngineKey key = CacheEngineKey.of("m", 1, 0, "ab".repeat(32), DType.BFLOAT16);
    RemoteMetadata latents =
        RemoteMetadata.of(MemoryFormat.KV_MLA_FMT, Shape.of(1, 2, 16, 8), DType.BFLOAT16);
    put(old, key, latents, Samples.pattern(512));
    String text = "vllm@m@1@0@" + "ab".repeat(32);
    assertThat(raw.get(text + "metadata")).isEqualTo(Samples.ints(512, 5, 3, 1, 2, 16, 8));
    GetOutcome outcome = old.sync().get(key);
    assertThat(bytesOf(outcome)).hasSize(512);
    assertThat(((GetOutcome.Hit) outcome).chunk().metadata()).isEqualTo(latents);
  }

  @Test
  void untilLmcache043ShapesHaveFourDimensions() {
    RedisConnector old = open(options -> options.lmcacheVersion(LmcacheVersion.parse("0.4.3")));
    ChunkKey key = Samples.key(3);
    PutOutcome refused =
        put(
            old,
            key,
            RemoteMetadata.of(MemoryFormat.KV_T2D, Shape.of(16, 2, 8), DType.BFLOAT16),
            Samples.pattern(512));
    assertThat(((PutOutcome.Failed) refused).cause()).isInstanceOf(ShapeRankException.class);
    assertThat(raw.keys()).isEmpty();
    assertThat(put(old, key, Samples.METADATA, Samples.payload()))
        .isInstanceOf(PutOutcome.Stored.class);
    assertThat(bytesOf(old.sync().get(key))).isEqualTo(Samples.payload());
  }
}
