/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.core.key.ObjectKey;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A prefix is as long as the shortest that any worker has. */
final class AllWorkersTest extends ConnectorContract {

  private static final int WORLD = 4;

  private static CacheEngineKey key(int worker, int chunk) {
    return CacheEngineKey.of("m", WORLD, worker, 0x100 + chunk, DType.BFLOAT16);
  }

  private static List<CacheEngineKey> prompt(int chunks) {
    return IntStream.range(0, chunks).mapToObj(chunk -> key(0, chunk)).toList();
  }

  private void store(int chunks) {
    for (int chunk = 0; chunk < chunks; chunk++) {
      for (int worker = 0; worker < WORLD; worker++) {
        raw.set(header(key(worker, chunk)), Samples.header());
      }
    }
  }

  @Test
  void theWorkerThatHasLeastDecides() {
    List<CacheEngineKey> prompt = prompt(5);
    assertThat(connector.sync().batchedContainsForAllWorkers(prompt)).isZero();
    store(5);
    assertThat(connector.sync().batchedContainsForAllWorkers(prompt)).isEqualTo(5);
    raw.call("DEL", header(key(2, 3)));
    assertThat(connector.sync().batchedContainsForAllWorkers(prompt)).isEqualTo(3);
    raw.call("DEL", header(key(3, 0)));
    assertThat(connector.sync().batchedContainsForAllWorkers(prompt)).isZero();
    assertThat(connector.sync().batchedContains(prompt)).isEqualTo(5);
  }

  @Test
  void whichWorkersKeysAreGivenDoesNotMatter() {
    store(2);
    assertThat(connector.sync().batchedContainsForAllWorkers(List.of(key(3, 0), key(1, 1))))
        .isEqualTo(2);
  }

  @Test
  void layersAndLongPromptsAreLookedUpToo() {
    List<LayerCacheEngineKey> layers = new ArrayList<>(key(0, 0).splitLayers(1500));
    for (LayerCacheEngineKey layer : layers) {
      for (int worker = 0; worker < WORLD; worker++) {
        raw.call("SET", header(layer.withWorkerId(worker)), "x");
      }
    }
    assertThat(connector.sync().batchedContainsForAllWorkers(layers)).isEqualTo(1500);
    raw.call("DEL", header(layers.get(1400).withWorkerId(2)));
    assertThat(connector.sync().batchedContainsForAllWorkers(layers)).isEqualTo(1400);
  }

  @Test
  void anObjectOfTheMultiProcessModeIsRefused() {
    ObjectKey object = new ObjectKey("m", ObjectKey.kvRank(2, 0, 2, 0), 0, "ab12", "");
    assertThatThrownBy(() -> connector.batchedContainsForAllWorkers(List.of(object)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("local ranks");
  }
}
