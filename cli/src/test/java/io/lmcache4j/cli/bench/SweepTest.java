/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class SweepTest {

  private static final int MIB = 1 << 20;

  @Test
  void eachRoundMovesAboutTheSame() {
    assertThat(Sweep.plan(Long.MAX_VALUE, null).points())
        .extracting(point -> (point.chunkBytes() / (MIB / 4)) + " x " + point.batch())
        .containsExactly(
            "1 x 512", "4 x 256", "16 x 64", "32 x 32", "64 x 16", "128 x 8", "320 x 3");
  }

  @Test
  void aBatchIsTheMostThatIsTaken() {
    assertThat(Sweep.plan(Long.MAX_VALUE, 8).points())
        .extracting(Sweep.Point::batch)
        .containsExactly(8, 8, 8, 8, 8, 8, 3);
  }

  @Test
  void whatMemoryHasNoRoomForIsLeftOut() {
    Sweep sweep = Sweep.plan(64L * MIB, null);
    assertThat(sweep.points()).last().isEqualTo(new Sweep.Point(16 * MIB, 1));
    assertThat(sweep.left()).containsExactly(32 * MIB, 80 * MIB);
  }
}
