/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Clearing a model leaves nothing of it, and everything else. */
final class ClearTest extends ConnectorContract {

  private static CacheEngineKey key(String model, int worker, int chunk) {
    return CacheEngineKey.of(model, 2, worker, chunk, DType.BFLOAT16);
  }

  @Test
  void whatIsOfTheModelGoesAndNothingElse() {
    List<String> others = new ArrayList<>();
    for (String model : List.of("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B-Instruct")) {
      for (int chunk = 0; chunk < 700; chunk++) {
        CacheEngineKey key = key(model, chunk % 2, chunk);
        raw.call("SET", header(key), "x");
        raw.call("SET", payload(key), "x");
        if (model.endsWith("Instruct")) {
          others.add(header(key));
          others.add(payload(key));
        }
      }
    }
    // Halves that are alone, an older grammar, a layer, and what is no chunk at all.
    CacheEngineKey alone = key("meta-llama/Llama-3.1-8B", 0, 0xa001);
    raw.call("SET", header(alone), "x");
    CacheEngineKey orphan = key("meta-llama/Llama-3.1-8B", 0, 0xa002);
    raw.call("SET", payload(orphan), "x");
    raw.call("SET", "vllm@meta-llama/Llama-3.1-8B@2@0@a003metadata", "x");
    raw.call("SET", header(key("meta-llama/Llama-3.1-8B", 1, 0xa004).firstLayer()), "x");
    raw.call("SET", "meta-llama/Llama-3.1-8B", "x");
    others.add("meta-llama/Llama-3.1-8B");
    others.sort(null);
    assertThat(connector.sync().clear("meta-llama/Llama-3.1-8B")).isEqualTo(704);
    assertThat(raw.keys()).isEqualTo(others);
    assertThat(connector.sync().clear("meta-llama/Llama-3.1-8B")).isZero();
  }

  @Test
  void aModelIsNoPattern() {
    CacheEngineKey key = key("a", 0, 1);
    raw.call("SET", header(key), "x");
    assertThat(connector.sync().clear("*")).isZero();
    assertThat(raw.has(header(key))).isTrue();
  }
}
