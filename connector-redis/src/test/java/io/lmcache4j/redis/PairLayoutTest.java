/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.key.CacheEngineKey;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class PairLayoutTest {

  @Test
  void nothingStandsBetweenKeyAndSuffix() {
    CacheEngineKey key = CacheEngineKey.of("模型@x", 1, 0, -255L, DType.FLOAT16);
    PairLayout.Keys keys = new PairLayout(new KeyNames(LmcacheVersion.CURRENT, "", "")).keys(key);
    assertThat(keys.text()).isEqualTo("模型@x@1@0@-ff@half");
    assertThat(new String(keys.metadata(), StandardCharsets.UTF_8))
        .isEqualTo("模型@x@1@0@-ff@halfmetadata");
    assertThat(new String(keys.payload(), StandardCharsets.UTF_8))
        .isEqualTo("模型@x@1@0@-ff@halfkv_bytes");
  }

  @Test
  void valkeyHasAColonAndInAClusterBraces() {
    CacheEngineKey key = CacheEngineKey.of("m", 1, 0, 10L, DType.FLOAT16);
    assertThat(metadataKey("valkey://h?layout=pair", key)).isEqualTo("m@1@0@a@half:metadata");
    assertThat(metadataKey("valkey://h?layout=pair&cluster=true", key))
        .isEqualTo("{m@1@0@a@half}:metadata");
    assertThat(metadataKey("valkey://h", key)).isEqualTo("m@1@0@a@half");
    assertThat(metadataKey("resp://h", key)).isEqualTo("m@1@0@a@half");
    assertThat(metadataKey("redis-cluster://h:1", key)).isEqualTo("m@1@0@a@halfmetadata");
  }

  private static String metadataKey(String url, CacheEngineKey key) {
    Layout layout = Layout.of(RedisConnectorOptions.of(url));
    return new String(layout.commitKey(layout.text(key)), StandardCharsets.UTF_8);
  }
}
