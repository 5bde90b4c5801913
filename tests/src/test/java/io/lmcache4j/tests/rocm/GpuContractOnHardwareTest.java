/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.rocm.CopyEngine;
import io.lmcache4j.rocm.CopyTimes;
import io.lmcache4j.rocm.DeviceBuffer;
import io.lmcache4j.rocm.HipRuntime;
import io.lmcache4j.rocm.PinnedMemory;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract on this machine's own GPU: {@code ./mvnw verify -Procm -pl tests -am}. */
@Tag("gpu")
class GpuContractOnHardwareTest extends GpuContract {

  private static final int COPY = 64 << 20;
  private static final int COPIES = 16;

  /** Says how fast copies are; no number is asked for, since machines differ. */
  @Test
  void bandwidths_are_printed() {
    System.out.println(HipRuntime.find().orElseThrow() + ", " + device());
    for (boolean pinned : new boolean[] {true, false}) {
      try (PinnedMemory memory = PinnedMemory.allocate(pinned ? device() : null, COPY);
          DeviceBuffer buffer = device().allocate(COPY);
          CopyEngine engine = CopyEngine.open(device());
          ChunkBuffer lease = requireNonNull(memory.tryLease(COPY))) {
        long toDevice = Long.MAX_VALUE;
        long toHost = Long.MAX_VALUE;
        for (int i = 0; i < COPIES; i++) {
          toDevice =
              Math.min(toDevice, nanos(engine.toDevice(lease, List.of(buffer.range())).join()));
          toHost = Math.min(toHost, nanos(engine.toHost(List.of(buffer.range()), lease).join()));
        }
        System.out.printf(
            "%s, best of %d copies of 64 MiB: to the device %.1f GB/s, to the host %.1f GB/s%n",
            pinned ? "pinned" : "unpinned",
            COPIES,
            (double) COPY / toDevice,
            (double) COPY / toHost);
        assertThat(toDevice).isPositive();
      }
    }
  }

  private static long nanos(CopyTimes times) {
    return times.endedNanos() - times.startedNanos();
  }
}
