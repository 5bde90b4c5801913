/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.redis.KeyPage;
import io.lmcache4j.redis.Survey;
import io.lmcache4j.redis.doctor.Diagnosis;
import io.lmcache4j.redis.doctor.Doctor;
import io.lmcache4j.redis.doctor.DoctorOptions;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.MethodSource;

/** To a server that can be told so, an examination is no use of the keys; of others it is said. */
@MethodSource("io.lmcache4j.tests.contract.Variant#plain")
final class DoctorTracesTest extends Contract {

  private static final int CHUNKS = 8;

  @Test
  void whatIsExaminedDoesNotLookUsed() throws InterruptedException {
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
      stored(Samples.key(chunk));
    }
    // Idle times have seconds.
    TimeUnit.MILLISECONDS.sleep(2500);
    Diagnosis diagnosis =
        new Doctor(connector, DoctorOptions.defaults()).examine((keys, ofAbout) -> {});
    assertThat(diagnosis.chunks()).isEqualTo(CHUNKS);
    Survey survey = connector.survey();
    survey.scan(KeyPage.END, 1).toCompletableFuture().join();
    long idle = Long.MAX_VALUE;
    for (String name : raw.keys()) {
      idle =
          Math.min(
              idle,
              (Long) Objects.requireNonNull(raw.masterOf(name).call("OBJECT", "IDLETIME", name)));
    }
    if (survey.leavesTraces()) {
      assertThat(diagnosis.notes()).anyMatch(note -> note.contains("NO-TOUCH"));
      assertThat(idle).isLessThan(2);
    } else {
      assertThat(diagnosis.notes()).noneMatch(note -> note.contains("NO-TOUCH"));
      assertThat(idle).isGreaterThanOrEqualTo(2);
    }
  }
}
