/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.doctor.Diagnosis;
import io.lmcache4j.redis.doctor.Example;
import io.lmcache4j.redis.doctor.Mending;
import io.lmcache4j.redis.doctor.Problem;
import io.lmcache4j.redis.doctor.ProblemKind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.MethodSource;

/** What only a layout of two keys can have: halves of chunks, and headers. */
@MethodSource("io.lmcache4j.tests.contract.Variant#withMetadata")
final class DoctorMendingTest extends DoctorContract {

  @Test
  void latentsOfOneWorkerAreWholeAndOfSeveralAreCopies() throws InterruptedException {
    RemoteMetadata latents =
        RemoteMetadata.of(MemoryFormat.KV_MLA_FMT, Shape.of(1, 2, 16, 8), DType.BFLOAT16);
    for (int worker = 0; worker < 4; worker++) {
      put(key("m", 4, worker, 1), latents, new byte[512]);
    }
    put(key("m", 4, 0, 2), latents, new byte[512]);
    put(key("m", 1, 2, 3), latents, new byte[512]);
    Diagnosis diagnosis = examine();
    assertThat(find(diagnosis, ProblemKind.INCOMPLETE_RANKS)).isEmpty();
    Problem copies = get(diagnosis, ProblemKind.MLA_COPIES);
    assertThat(copies.bytes()).isEqualTo(3 * 512 + 512);
  }

  /** A cache with one of each half, and the names of what must not be touched. */
  private List<String> halves() {
    for (int chunk = 0; chunk < 4; chunk++) {
      stored(key("m", 1, 0, chunk));
    }
    for (String name : raw.keys()) {
      boolean metadata = name.endsWith("metadata");
      if (metadata ? name.contains("@100@") : name.contains("@101@")) {
        raw.call("DEL", name);
      } else if (metadata && name.contains("@102@")) {
        raw.set(name, new byte[3]);
      }
    }
    // Might be the whole chunk of a key with the tag "t" in a layout of one key.
    raw.set("m@1@0@104@bfloat16@t%kv_bytes", new byte[9]);
    raw.set("no chunk's kv_bytes", new byte[9]);
    List<String> stay = new ArrayList<>(raw.keys());
    stay.removeIf(
        name -> name.contains("@100@") || name.contains("@101@") || name.contains("@102@"));
    return stay;
  }

  @Test
  void whatNoReaderCanUseIsRemovedAndNothingElse() throws InterruptedException {
    List<String> stay = halves();
    Diagnosis diagnosis = examine();
    assertThat(get(diagnosis, ProblemKind.ORPHAN_METADATA).count()).isEqualTo(1);
    assertThat(get(diagnosis, ProblemKind.UNREADABLE).count()).isEqualTo(1);
    assertThat(get(diagnosis, ProblemKind.ORPHAN_PAYLOAD).examples())
        .containsExactly(new Example(key("m", 1, 0, 0).toString(), ""));
    Mending mending = doctor().mend((keys, ofAbout) -> {});
    assertThat(raw.keys()).isEqualTo(stay);
    assertThat(mending.removed())
        .containsExactlyInAnyOrder(
            new Mending.Removed(ProblemKind.ORPHAN_PAYLOAD, 1, Samples.BYTES),
            new Mending.Removed(ProblemKind.ORPHAN_METADATA, 1, 0),
            new Mending.Removed(ProblemKind.UNREADABLE, 1, Samples.BYTES));
    assertThat(mending.spared()).isZero();
  }

  @Test
  void aPutThatIsCompletedMeanwhileIsSpared() throws InterruptedException {
    halves();
    // The walk tells of a page when it has looked at it, and removes when it is at its end.
    boolean[] completed = new boolean[1];
    Mending mending =
        doctor()
            .mend(
                (keys, ofAbout) -> {
                  if (keys >= ofAbout && !completed[0]) {
                    completed[0] = true;
                    for (int chunk = 0; chunk < 3; chunk++) {
                      stored(key("m", 1, 0, chunk));
                    }
                  }
                });
    assertThat(completed[0]).isTrue();
    assertThat(mending.spared()).isEqualTo(3);
    assertThat(mending.removed()).isEmpty();
    for (int chunk = 0; chunk < 4; chunk++) {
      assertThat(bytesOf(super.get(key("m", 1, 0, chunk)))).isEqualTo(Samples.payload());
    }
  }
}
