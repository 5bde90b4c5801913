/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.model.KnownModel;
import java.util.List;
import org.junit.jupiter.api.Test;

final class MatrixSettingsTest {

  private static final long MIB = 1 << 20;

  private static MatrixSettings of(KnownModel model, List<Integer> decode, int promptTokens) {
    return new MatrixSettings(model, List.of(1, 2), decode, promptTokens, 256, false, 1);
  }

  @Test
  void bothWorldsAndACopyAreInTheServerAndABatchIsHere() {
    MatrixSettings settings = of(KnownModel.LLAMA_3_1_8B, List.of(4), 8192);
    // 32 chunks of 32 MiB, three times; a batch is 8 of them.
    assertThat(settings.serverBytes()).isEqualTo(3072 * MIB + 2 * 256 * MIB);
    assertThat(settings.hostBytes()).isEqualTo(2 * 256 * MIB);
    assertThat(settings.batch(settings.world(4))).isEqualTo(8);
  }

  @Test
  void ranksThatShareAHeadHaveItTwice() {
    MatrixSettings settings = of(KnownModel.LLAMA_3_1_8B, List.of(16), 8192);
    assertThat(settings.serverBytes()).isEqualTo((2 * 1024 + 2048) * MIB + 2 * 256 * MIB);
    assertThat(settings.batch(settings.world(16))).isEqualTo(4);
  }

  @Test
  void twoChunksThatAreReshardedCanBeMoreThanABatch() {
    MatrixSettings settings = of(KnownModel.LLAMA_3_3_70B, List.of(2), 8192);
    assertThat(settings.batch(settings.world(2))).isEqualTo(3);
    assertThat(settings.hostBytes()).isEqualTo(2 * 4 * 80 * MIB);
  }

  @Test
  void aShortPromptTakesLittle() {
    MatrixSettings settings = of(KnownModel.LLAMA_3_1_8B, List.of(4), 300);
    // One chunk, as it is read and as it is written.
    assertThat(settings.hostBytes()).isEqualTo(2 * 2 * 32 * MIB);
  }

  @Test
  void thePromptThatWouldFitFits() {
    MatrixSettings settings = of(KnownModel.LLAMA_3_1_8B, List.of(4), 100_000);
    long enough = 3072 * MIB + 4 * 256 * MIB;
    assertThat(settings.longestPrompt(enough)).isEqualTo(8192);
    assertThat(settings.longestPrompt(enough - 1)).isEqualTo(8192 - 256);
    assertThat(settings.longestPrompt(MIB)).isZero();
  }
}
