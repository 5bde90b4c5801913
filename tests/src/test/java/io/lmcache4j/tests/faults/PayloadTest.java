/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The judge must not be blind. */
final class PayloadTest {

  private static ByteBuffer filled(int length, int key, int writer) {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    Payload.fill(bytes, key, writer, 7);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 24, 27, 1024, 65_537})
  void everyByteCounts(int length) {
    ByteBuffer bytes = filled(length, 3, 1);
    assertThat(Payload.wrongBytes(bytes, 3)).isZero();
    assertThat(Payload.writer(bytes)).isEqualTo(1);
    for (int i = 0; i < length; i += length > 1024 ? 997 : 1) {
      bytes.put(i, (byte) ~bytes.get(i));
      assertThat(Payload.wrongBytes(bytes, 3)).as("byte %d", i).isPositive();
      bytes.put(i, (byte) ~bytes.get(i));
    }
  }

  @Test
  void anotherKeysLengthsOrWritersBytesShow() {
    ByteBuffer bytes = filled(1024, 3, 1);
    assertThat(Payload.wrongBytes(bytes, 4)).isEqualTo(1024);
    assertThat(Payload.wrongBytes(bytes.duplicate().limit(1000), 3)).isEqualTo(1000);
    bytes.put(512, filled(1024, 3, 2), 512, 512);
    assertThat(Payload.wrongBytes(bytes, 3)).isBetween(500, 512);
  }
}
