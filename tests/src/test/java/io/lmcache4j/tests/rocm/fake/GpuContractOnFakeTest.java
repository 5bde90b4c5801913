/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import io.lmcache4j.rocm.HipDevice;
import io.lmcache4j.tests.rocm.GpuContract;
import org.junit.jupiter.api.AfterEach;

/** The contract that the {@code rocm} profile runs on hardware, where there is none. */
@FakeGpu
class GpuContractOnFakeTest extends GpuContract {

  private final FakeHip fake = FakeHip.install();

  @Override
  protected HipDevice device() {
    return fake.device(0);
  }

  @AfterEach
  void nothingIsLeftBehind() {
    Leaks.none(fake);
  }
}
