/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.StoredName;
import io.lmcache4j.redis.doctor.Diagnosis;
import io.lmcache4j.redis.doctor.Doctor;
import io.lmcache4j.redis.doctor.DoctorOptions;
import io.lmcache4j.redis.doctor.Example;
import io.lmcache4j.redis.doctor.Problem;
import io.lmcache4j.redis.doctor.ProblemKind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.MethodSource;

/** The doctor, in every layout and topology. Pages are small, so that siblings are on others. */
@MethodSource("io.lmcache4j.tests.contract.Variant#all")
final class DoctorTest extends DoctorContract {

  @Test
  void anEmptyCacheIsWell() throws InterruptedException {
    Diagnosis diagnosis = examine();
    assertThat(diagnosis.problems()).isEmpty();
    assertThat(diagnosis.keys()).isZero();
    assertThat(diagnosis.server().name()).isEqualTo(connector.info().server());
    assertThat(diagnosis.server().masters()).isEqualTo(raw.masters().size());
    assertThat(diagnosis.server().policy()).isEqualTo("noeviction");
  }

  @Test
  void chunksAreCountedOnceAndBytesAtEachWorker() throws InterruptedException {
    for (int chunk = 0; chunk < 30; chunk++) {
      for (int worker = 0; worker < 3; worker++) {
        stored(key("m", 3, worker, chunk));
      }
    }
    stored(key("other", 1, 0, 0));
    raw.call("SET", "no chunk's", "x");
    List<Long> progress = new ArrayList<>();
    Diagnosis diagnosis = doctor().examine((keys, ofAbout) -> progress.add(ofAbout - keys));
    assertThat(diagnosis.chunks()).isEqualTo(91);
    assertThat(diagnosis.bytes()).isEqualTo(91 * Samples.BYTES);
    assertThat(diagnosis.keys()).isEqualTo(raw.keys().size());
    assertThat(diagnosis.otherKeys()).isEqualTo(1);
    assertThat(progress).last().isEqualTo(0L);
    Diagnosis.Model model = diagnosis.models().get(0);
    assertThat(model.name()).isEqualTo("m");
    Diagnosis.World world = model.worlds().get(0);
    assertThat(world.chunks()).isEqualTo(30);
    assertThat(world.complete()).isEqualTo(30);
    assertThat(world.ranks())
        .hasSize(3)
        .allMatch(rank -> rank.entries() == 30 && rank.bytes() == 30 * Samples.BYTES);
    assertThat(find(diagnosis, ProblemKind.INCOMPLETE_RANKS)).isEmpty();
    assertThat(diagnosis.ages().sampled()).isEqualTo(91);
    DoctorOptions one = OPTIONS.withModel("other");
    assertThat(new Doctor(connector, one).examine((k, n) -> {}).chunks()).isEqualTo(1);
  }

  @Test
  void whatSomeWorkersLackIsCountedOnceAndTold() throws InterruptedException {
    for (int chunk = 0; chunk < 20; chunk++) {
      for (int worker = 0; worker < 4; worker++) {
        stored(key("m", 4, worker, chunk));
      }
    }
    connector.sync().remove(key("m", 4, 0, 3));
    connector.sync().remove(key("m", 4, 1, 3));
    connector.sync().remove(key("m", 4, 3, 5));
    Diagnosis diagnosis = examine();
    Problem problem = get(diagnosis, ProblemKind.INCOMPLETE_RANKS);
    assertThat(problem.count()).isEqualTo(2);
    assertThat(problem.examples())
        .containsExactlyInAnyOrder(
            new Example(key("m", 4, 2, 3).toString(), "not at worker 0-1"),
            new Example(key("m", 4, 0, 5).toString(), "not at worker 3"));
    assertThat(diagnosis.models().get(0).worlds().get(0).chunks()).isEqualTo(20);
    assertThat(diagnosis.isIll()).isTrue();
  }

  @Test
  void workersThatNeverShareAChunkDoNotHashAlike() throws InterruptedException {
    for (int chunk = 0; chunk < 20; chunk++) {
      stored(key("m", 2, chunk % 2, chunk));
    }
    Diagnosis diagnosis = examine();
    assertThat(get(diagnosis, ProblemKind.DISJOINT_RANKS).count()).isEqualTo(20);
    assertThat(get(diagnosis, ProblemKind.DISJOINT_RANKS).command()).contains("PYTHONHASHSEED");
    assertThat(find(diagnosis, ProblemKind.INCOMPLETE_RANKS)).isEmpty();
  }

  @Test
  void missingLayersAreFoundWhereverTheyAre() throws InterruptedException {
    for (int chunk = 0; chunk < 6; chunk++) {
      for (LayerCacheEngineKey layer : key("m", 1, 0, chunk).splitLayers(40)) {
        boolean missing =
            (chunk == 1 && layer.layerId() == 39)
                || (chunk == 2 && layer.layerId() == 17)
                || (chunk == 3 && layer.layerId() < 2);
        if (!missing) {
          put(
              layer,
              RemoteMetadata.of(MemoryFormat.KV_T2D, Shape.of(16, 2, 8), DType.BFLOAT16),
              new byte[512]);
        }
      }
    }
    Problem problem = get(examine(), ProblemKind.INCOMPLETE_LAYERS);
    assertThat(problem.count()).isEqualTo(3);
    assertThat(problem.examples())
        .containsExactlyInAnyOrder(
            new Example(key("m", 1, 0, 1) + "@0", "has 39 layers"),
            new Example(key("m", 1, 0, 2) + "@0", "has 39 layers"),
            new Example(key("m", 1, 0, 3) + "@2", "lacks layer 0"));
    assertThat(problem.command()).contains("rm").contains("@0");
  }

  @Test
  void aWorldThatLacksTheOthersChunksIsOfferedResharding() throws InterruptedException {
    for (int chunk = 0; chunk < 9; chunk++) {
      stored(key("m", 1, 0, chunk));
    }
    RemoteMetadata half =
        RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, 32, 1, 512), DType.BFLOAT16);
    for (int chunk = 0; chunk < 12; chunk++) {
      for (int worker = 0; worker < 2; worker++) {
        put(key("m", 2, worker, 5 + chunk), half, new byte[(int) half.length()]);
      }
    }
    // Large pages: every chunk is asked for in both worlds.
    Diagnosis diagnosis = new Doctor(connector, OPTIONS.withScanCount(1000)).examine((k, n) -> {});
    Problem problem = get(diagnosis, ProblemKind.OTHER_WORLD);
    assertThat(problem.count()).isEqualTo(8);
    assertThat(problem.summary()).contains("(4 of 12 are in both)");
    if (connector.survey().readersForm().isPair()) {
      assertThat(problem.command())
          .startsWith(
              "lmcache4j reshard --model m --from-tp 2 --to-tp 1 --layers 32 --kv-heads 8"
                  + " --head-size 128 --dtype bfloat16 --all --url ");
    }
  }

  @Test
  void aChunkOfAnotherLayoutIsTold() throws InterruptedException {
    stored(key("m", 1, 0, 1));
    StoredName.Form form = connector.survey().readersForm();
    raw.set(
        key("m", 1, 0, 2) + (form == StoredName.Form.SINGLE ? "metadata" : ""), Samples.header());
    raw.set(
        key("m", 1, 0, 2) + (form == StoredName.Form.SINGLE ? "kv_bytes" : "x"), Samples.payload());
    raw.set(
        key("n", 1, 0, 3) + (form == StoredName.Form.SINGLE ? ":metadata" : ""), Samples.header());
    raw.set(
        key("n", 1, 0, 3) + (form == StoredName.Form.SINGLE ? ":kv_bytes" : "x"),
        Samples.payload());
    Diagnosis diagnosis = examine();
    assertThat(get(diagnosis, ProblemKind.MIXED_LAYOUTS).model()).isEqualTo("m");
    assertThat(get(diagnosis, ProblemKind.OTHER_LAYOUT).model()).isEqualTo("n");
  }

  @Test
  void aConnectorWithAPrefixSeesItsOwnKeysAlone() throws InterruptedException {
    stored(key("m", 1, 0, 1));
    try (RedisConnector tenant = open(o -> o.keyPrefix("t[1]:"))) {
      put(tenant, key("m", 1, 0, 2), Samples.METADATA, Samples.payload());
      Diagnosis diagnosis = new Doctor(tenant, OPTIONS).examine((k, n) -> {});
      assertThat(diagnosis.chunks()).isEqualTo(1);
      assertThat(diagnosis.otherKeys()).isZero();
      assertThat(find(diagnosis, ProblemKind.INCOMPLETE_RANKS)).isEmpty();
    }
  }
}
