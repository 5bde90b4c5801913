/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is unreadable is removed, so it has to be a miss for every reader that there is. */
final class HeaderVerdictTest {

  /** Bytes of the shape of {@link #GROUP}. */
  private static final int BYTES = 2 * 2 * 16 * 8 * 2;

  private static final int[] GROUP = {3, 2, 2, 16, 8};

  private static byte[] ints(int... fields) {
    ByteBuffer header =
        ByteBuffer.allocate(fields.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int field : fields) {
      header.putInt(field);
    }
    return header.array();
  }

  private static byte[] header(int length, int... groups) {
    ByteBuffer header =
        ByteBuffer.allocate(8 + groups.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    return header.put(ints(length, 1)).put(ints(groups)).array();
  }

  private static ProblemKind of(byte[] header, long payload) {
    ProblemKind kind = HeaderVerdict.of("k", header, payload).kind();
    return kind == null ? ProblemKind.WRONG_TYPE : kind;
  }

  @Test
  void aTrueHeaderIsSound() {
    HeaderVerdict verdict = HeaderVerdict.of("k", header(BYTES, GROUP), BYTES);
    assertThat(verdict.kind()).isNull();
    assertThat(verdict.metadata()).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7, 8, 27})
  void aHeaderThatIsCutOffIsReadByNobody(int bytes) {
    assertThat(of(Arrays.copyOf(header(BYTES, GROUP), bytes), BYTES))
        .isEqualTo(ProblemKind.UNREADABLE);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, BYTES - 1, BYTES + 1})
  void aPayloadThatFitsNothingIsTakenByNobody(long payload) {
    assertThat(of(header(BYTES, GROUP), payload)).isEqualTo(ProblemKind.UNREADABLE);
  }

  @Test
  void aPayloadOfTheHeadersLengthIsTakenByLmcacheWhateverTheShape() {
    assertThat(of(header(100, GROUP), 100)).isEqualTo(ProblemKind.MISMATCH);
  }

  @Test
  void aPayloadOfTheShapesIsTakenByLmcacheWhateverALongerLength() {
    assertThat(of(header(BYTES + 100, GROUP), BYTES)).isEqualTo(ProblemKind.MISMATCH);
  }

  @Test
  void aPayloadOfTheFirstGroupsIsTakenByAReaderThatKnowsNoMore() {
    byte[] two = header(BYTES + 64, 3, 2, 2, 16, 8, 3, 2, 1, 16, 1);
    assertThat(of(two, BYTES)).isEqualTo(ProblemKind.MISMATCH);
    assertThat(HeaderVerdict.of("k", two, BYTES + 64).kind()).isNull();
    assertThat(of(two, BYTES + 63)).isEqualTo(ProblemKind.UNREADABLE);
  }

  @Test
  void whatALaterReleaseMayReadIsNoRubbish() {
    assertThat(of(ints(BYTES, 99, 3, 2, 2, 16, 8), BYTES + 1)).isEqualTo(ProblemKind.MISMATCH);
    assertThat(of(ints(BYTES, 1, 99, 2, 2, 16, 8), BYTES + 1)).isEqualTo(ProblemKind.MISMATCH);
    assertThat(of(new byte[HeaderVerdict.BYTES_READ], BYTES)).isEqualTo(ProblemKind.MISMATCH);
  }

  @Test
  void negativeNumbersAreDoubtful() {
    assertThat(of(header(-1, GROUP), 5)).isEqualTo(ProblemKind.MISMATCH);
    assertThat(of(header(BYTES, 3, 2, -2, 16, 8), 5)).isEqualTo(ProblemKind.MISMATCH);
  }
}
