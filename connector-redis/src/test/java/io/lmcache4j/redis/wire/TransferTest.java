/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** One thread at a time; {@code TransferStress} has them race. */
class TransferTest {

  private final Transfer transfer = new Transfer();

  @Test
  void whatWasWrittenBelongsToTheOutcome() {
    assertThat(transfer.begin()).isTrue();
    assertThat(transfer.finish()).isTrue();
    assertThat(transfer.revoke()).isFalse();
    assertThat(transfer).hasToString("DONE");
  }

  @Test
  void revokedNothingMayBeWritten() {
    assertThat(transfer.revoke()).isTrue();
    assertThat(transfer.begin()).isFalse();
    assertThat(transfer.finish()).isFalse();
    assertThat(transfer).hasToString("REVOKED");
  }

  @Test
  void revokedWhileWritingTheWriterHasToGiveTheBufferBack() {
    assertThat(transfer.begin()).isTrue();
    assertThat(transfer.revoke()).isTrue();
    assertThat(transfer.finish()).isFalse();
    assertThat(transfer.revoke()).isFalse();
  }

  @Test
  void oneReplyIsWritten() {
    assertThat(transfer.begin()).isTrue();
    assertThat(transfer.begin()).isFalse();
    assertThat(transfer.finish()).isTrue();
    assertThat(transfer.begin()).isFalse();
    assertThat(transfer.finish()).isFalse();
  }
}
