/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.KeyFormat;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class PairKeysTest {

  @Test
  void nothingStandsBetweenKeyAndSuffix() {
    CacheEngineKey key = CacheEngineKey.of("模型@x", 1, 0, -255L, DType.FLOAT16);
    PairKeys keys = PairKeys.of(key, KeyFormat.V0_3_13);
    assertThat(keys.text()).isEqualTo("模型@x@1@0@-ff@half");
    assertThat(new String(keys.metadata(), StandardCharsets.UTF_8))
        .isEqualTo("模型@x@1@0@-ff@halfmetadata");
    assertThat(new String(keys.payload(), StandardCharsets.UTF_8))
        .isEqualTo("模型@x@1@0@-ff@halfkv_bytes");
  }
}
