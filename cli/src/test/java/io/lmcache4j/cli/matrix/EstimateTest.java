/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lmcache4j.cli.matrix.Estimate.Gpu;
import io.lmcache4j.cli.matrix.MatrixResult.Setting;
import org.junit.jupiter.api.Test;

/** By hand: round numbers in, so that the right answer is seen. */
final class EstimateTest {

  /** A thousand million weights; attention is 2 x 10 layers x 50 heads x 100. */
  private static final Setting MODEL =
      new Setting(
          "test", "m", 1_000_000_000L, 10, 50, 5, 100, "bfloat16", 1000, 256, 1, "s", "m", null);

  @Test
  void aPrefillIsTwoOperationsForEachWeightAndAttention() {
    // 2 x 10^9 x 1000 for the weights; 2 x 10 x 1000^2 x 50 x 100 for attention.
    assertThat(Estimate.prefillFlops(MODEL, 1000)).isEqualTo(2e12 + 1e11);
    // No int holds the square of a long prompt.
    assertThat(Estimate.prefillFlops(MODEL, 100_000)).isEqualTo(2e14 + 1e15);
  }

  @Test
  void itsTimeIsThatDividedByWhatTheGpusReachTogether() {
    // 2.1 x 10^12 / (2 x 1307.4 x 10^12 x 0.4) seconds.
    assertThat(Estimate.prefillMillis(MODEL, 1000, Gpu.MI300X, 2)).isCloseTo(2.0078, within(1e-3));
    assertThat(Estimate.prefillMillis(MODEL, 1000, Gpu.H100, 1)).isCloseTo(5.3057, within(1e-3));
  }

  @Test
  void aNetworkOf100GigabitMoves12And500MegabytesInASecond() {
    assertThat(Estimate.networkMillis(12_500_000_000L)).isCloseTo(1000, within(1e-9));
    // A gibibyte: 8 x 2^30 / 10^11 seconds.
    assertThat(Estimate.networkMillis(1L << 30)).isCloseTo(85.899, within(1e-3));
  }

  @Test
  void loadingWinsAboveTheRateAtWhichBothTakeAsLong() {
    double millis = Estimate.prefillMillis(MODEL, 1000, Gpu.H100, 1);
    double gbit = Estimate.breakEvenGbit(66_321_250, millis);
    // 66.32125 MB in 5.3057 ms.
    assertThat(gbit).isCloseTo(100, within(0.01));
    assertThat(Estimate.networkMillis(66_321_250)).isCloseTo(millis, within(1e-3));
  }
}
