/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class FiguresTest {

  @Test
  void numbersHaveAUnitOfTheirSize() {
    assertThat(Figures.bytes(1023)).isEqualTo("1023 B");
    assertThat(Figures.bytes(1536)).isEqualTo("1.5 KiB");
    assertThat(Figures.bytes(256L << 20)).isEqualTo("256 MiB");
    assertThat(Figures.bytes(3L << 29)).isEqualTo("1.5 GiB");
    assertThat(Figures.time(1_500_000)).isEqualTo("1.5 ms");
    assertThat(Figures.time(2_340_000_000L)).isEqualTo("2.34 s");
    assertThat(Figures.throughput(1L << 30, 500_000_000)).isEqualTo("2.00 GiB/s");
  }
}
