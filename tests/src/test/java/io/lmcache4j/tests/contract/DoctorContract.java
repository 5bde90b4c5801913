/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.redis.doctor.Diagnosis;
import io.lmcache4j.redis.doctor.Doctor;
import io.lmcache4j.redis.doctor.DoctorOptions;
import io.lmcache4j.redis.doctor.Problem;
import io.lmcache4j.redis.doctor.ProblemKind;
import java.time.Duration;
import java.util.Optional;

/** What tests of the doctor share. */
abstract class DoctorContract extends Contract {

  /** What was just written is no put under way here. */
  static final DoctorOptions OPTIONS =
      DoctorOptions.defaults()
          .withGrace(Duration.ofMillis(1))
          .withScanCount(7)
          .withKeysPerSecond(0);

  static CacheEngineKey key(String model, int world, int worker, int chunk) {
    return CacheEngineKey.of(model, world, worker, 0x100 + chunk, DType.BFLOAT16);
  }

  Doctor doctor() {
    return new Doctor(connector, OPTIONS);
  }

  Diagnosis examine() throws InterruptedException {
    return doctor().examine((keys, ofAbout) -> {});
  }

  static Optional<Problem> find(Diagnosis diagnosis, ProblemKind kind) {
    return diagnosis.problems().stream().filter(p -> p.kind() == kind).findFirst();
  }

  static Problem get(Diagnosis diagnosis, ProblemKind kind) {
    return find(diagnosis, kind)
        .orElseThrow(() -> new AssertionError("no " + kind + " in " + diagnosis.problems()));
  }
}
