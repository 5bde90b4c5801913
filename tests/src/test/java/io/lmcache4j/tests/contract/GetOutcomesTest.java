/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.redis.GetOutcome;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a get makes of whatever stands in Redis; and that the connection is none the worse. */
final class GetOutcomesTest extends ConnectorContract {

  private static final ChunkKey KEY = Samples.key(0xabc);

  private void write(byte[] header, byte[] payload) {
    raw.set(header(KEY), header);
    raw.set(payload(KEY), payload);
  }

  /** The outcome, after which a good chunk is read over each connection. */
  private GetOutcome outcome() {
    GetOutcome outcome = get(KEY);
    ChunkKey good = Samples.key(1);
    raw.set(header(good), Samples.header());
    raw.set(payload(good), Samples.payload());
    for (GetOutcome after : connector.sync().batchedGet(List.of(good, good, good, good))) {
      assertThat(bytesOf(after)).isEqualTo(Samples.payload());
    }
    return outcome;
  }

  @Test
  void absentIsAMiss() {
    assertThat(outcome()).isEqualTo(new GetOutcome.Miss(KEY));
  }

  @Test
  void aPayloadWithoutMetadataIsAMissAndStays() {
    raw.set(payload(KEY), Samples.payload());
    assertThat(outcome()).isEqualTo(new GetOutcome.Miss(KEY));
    assertThat(raw.get(payload(KEY))).isEqualTo(Samples.payload());
  }

  @Test
  void metadataWithoutAPayloadIsAnOrphanAndIsDeleted() {
    raw.set(header(KEY), Samples.header());
    assertThat(outcome()).isEqualTo(new GetOutcome.Orphan(KEY));
    assertThat(raw.has(header(KEY))).isFalse();
    assertThat(get(KEY)).isEqualTo(new GetOutcome.Miss(KEY));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1023, 1025, 5000, 3_000_000})
  void aPayloadOfAnotherLengthIsCorrupt(int length) {
    write(Samples.header(), Samples.pattern(length));
    assertThat(reasonOf(outcome()))
        .isEqualTo("the header's length is 1024 bytes, the payload has " + length);
    assertThat(raw.keys()).contains(header(KEY), payload(KEY));
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 2048})
  void aLengthThatIsNotThatOfTheShapeIsCorrupt(int length) {
    write(Samples.ints(length, 1, 3, 2, 2, 16, 8), Samples.pattern(length));
    assertThat(reasonOf(outcome()))
        .isEqualTo("the header's length is " + length + " bytes, its shapes and dtypes make 1024");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, Integer.MIN_VALUE, Integer.MAX_VALUE})
  void aLengthThatCannotBeIsCorrupt(int length) {
    write(Samples.ints(length, 1, 3, 2, 2, 16, 8), Samples.payload());
    assertThat(reasonOf(outcome())).contains(Integer.toString(length));
  }

  @Test
  void dimensionsWhoseProductOverflowsAreCorrupt() {
    int huge = Integer.MAX_VALUE;
    write(Samples.ints(1024, 1, 5, huge, huge, huge, huge), Samples.payload());
    assertThat(reasonOf(outcome())).contains("or more");
    write(Samples.ints(1024, 1, 3, -2, -2, 16, 8), Samples.payload());
    assertThat(reasonOf(outcome())).contains("negative dimension");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 9, 1 << 24})
  void anUnknownDtypeIsCorrupt(int dtype) {
    write(Samples.ints(1024, 1, dtype, 2, 2, 16, 8), Samples.payload());
    assertThat(reasonOf(outcome())).contains(KEY.toString(), "dtype", Integer.toString(dtype));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 9, 1 << 24})
  void anUnknownFormatIsCorrupt(int format) {
    write(Samples.ints(1024, format, 3, 2, 2, 16, 8), Samples.payload());
    assertThat(reasonOf(outcome())).contains(KEY.toString(), "format", Integer.toString(format));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 8, 27})
  void aTruncatedHeaderIsCorrupt(int length) {
    write(Arrays.copyOf(Samples.header(), length), Samples.payload());
    assertThat(reasonOf(outcome())).contains(KEY.toString(), Integer.toString(length), "28");
  }

  /** A hundred megabytes once; elsewhere enough to come in many pieces. */
  @Test
  void aHugeHeaderIsCorruptAndIsNotKept() {
    int length = variant.server().topology() == Topology.TCP ? 100_000_000 : 5_000_000;
    raw.call("SETRANGE", header(KEY), length - 1, "x");
    raw.set(payload(KEY), Samples.payload());
    assertThat(reasonOf(outcome()))
        .isEqualTo("the metadata has " + length + " bytes, a header at most 1288");
  }

  @Test
  void aKeyOfAnotherTypeFailsWithTheServersWords() {
    raw.call("LPUSH", header(KEY), "x");
    raw.set(payload(KEY), Samples.payload());
    assertThat(failureOf(outcome())).contains(KEY.toString(), "WRONGTYPE");
    raw.call("DEL", header(KEY), payload(KEY));
    raw.set(header(KEY), Samples.header());
    raw.call("SADD", payload(KEY), "x");
    assertThat(failureOf(outcome())).contains(KEY.toString(), "WRONGTYPE");
    assertThat(raw.has(header(KEY))).isTrue();
  }

  @Test
  void withoutMemoryTheChunkStaysWhereItIsAndIsReadOnceThereIsRoom() {
    stored(KEY);
    try (DirectMemory small = DirectMemory.create(2L * HostMemory.ALIGNMENT)) {
      ChunkBuffer all = Objects.requireNonNull(small.tryLease(2 * HostMemory.ALIGNMENT));
      assertThat(connector.sync().get(KEY, small))
          .isEqualTo(new GetOutcome.NoMemory(KEY, Samples.BYTES));
      all.release();
      assertThat(bytesOf(connector.sync().get(KEY, small))).isEqualTo(Samples.payload());
      assertThat(small.leases()).isZero();
    }
  }

  @Test
  void aMemoryThatFailsFailsItsGetAlone() {
    stored(KEY);
    DirectMemory gone = DirectMemory.create(1 << 20);
    gone.close();
    assertThat(connector.sync().get(KEY, gone)).isInstanceOf(GetOutcome.Failed.class);
    assertThat(bytesOf(outcome())).isEqualTo(Samples.payload());
  }
}
