/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeviceRangeTest {

  private final DeviceBuffer buffer = new FakeHip().device().allocate(1000);

  @ParameterizedTest
  @CsvSource({"0,1000,1000,1", "999,1,1,1", "0,10,110,10", "0,100,100,10", "1,9,110,10"})
  void rangesWithinTheBufferAreAccepted(long offset, long width, long pitch, long rows) {
    DeviceRange range = new DeviceRange(buffer, offset, width, pitch, rows);
    assertThat(range.bytes()).isEqualTo(width * rows);
  }

  @ParameterizedTest
  @CsvSource({
    "-1,1,1,1",
    "0,1001,1001,1",
    "1000,1,1,1",
    "1,1000,1000,1",
    "0,10,111,10",
    "2,9,110,10",
    "9223372036854775807,1,1,1",
    "1,9223372036854775807,9223372036854775807,1",
    "0,1,2,9223372036854775807",
    "0,1,2147483647,9223372036854775807",
  })
  void rangesThatLeaveTheBufferAreRefused(long offset, long width, long pitch, long rows) {
    assertThatThrownBy(() -> new DeviceRange(buffer, offset, width, pitch, rows))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageContaining("1000 bytes");
  }

  @ParameterizedTest
  @CsvSource({"0,0,1,1", "0,1,1,0", "0,10,9,2", "0,1,2147483648,2", "0,-1,1,1"})
  void whatIsNoRangeIsRefused(long offset, long width, long pitch, long rows) {
    assertThatThrownBy(() -> new DeviceRange(buffer, offset, width, pitch, rows))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void interleavedRowsDoNotOverlap() {
    DeviceRange even = new DeviceRange(buffer, 0, 10, 20, 50);
    DeviceRange odd = new DeviceRange(buffer, 10, 10, 20, 50);
    assertThat(Overlaps.first(List.of(even, odd))).isNull();
  }

  @Test
  void oneSharedByteIsFound() {
    DeviceRange even = new DeviceRange(buffer, 0, 10, 20, 50);
    DeviceRange late = new DeviceRange(buffer, 989, 11, 20, 1);
    assertThat(Overlaps.first(List.of(even, late))).contains("offset=989");
    assertThat(Overlaps.first(List.of(buffer.range(0, 501), buffer.range(500, 500)))).isNotNull();
    assertThat(Overlaps.first(List.of(buffer.range(0, 500), buffer.range(500, 500)))).isNull();
    assertThat(
            Overlaps.first(List.of(buffer.range(0, 900), buffer.range(1, 1), buffer.range(800, 9))))
        .isNotNull();
  }
}
