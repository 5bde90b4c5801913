/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DemoPromptTest {

  @Test
  void theFullPromptIsEightChunksOf32MiB() {
    assertThat(DemoPrompt.CHUNK_BYTES).isEqualTo(33_554_432);
    assertThat(DemoPrompt.FULL.chunks()).isEqualTo(8);
    assertThat(DemoPrompt.FULL.bytes()).isEqualTo(8L * 33_554_432);
    assertThat(DemoPrompt.GEOMETRY.chunkShape()).hasToString("[2, 32, 256, 1024]");
    assertThat(DemoPrompt.metadataWithoutDtypes().dtypes()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "9223372036854775807, 2048",
    "1073741824, 2048",
    "1073741823, 1024",
    "536870911, 512",
    "0, 256",
  })
  void itIsSizedDownToWhatFits(long free, int tokens) {
    assertThat(DemoPrompt.fitting(free).tokens()).isEqualTo(tokens);
  }

  @Test
  void aShorterPromptIsAPrefixOfTheLongOne() {
    assertThat(DemoPrompt.FULL.keys()).startsWith(DemoPrompt.fitting(0).keys().get(0));
  }

  @Test
  void payloadsAreTheSameInEveryRunAndDifferFromEachOther() {
    try (DirectMemory memory = DirectMemory.create(1 << 20);
        ChunkBuffer lease = Objects.requireNonNull(memory.tryLease(4096))) {
      DemoPrompt.fill(0, lease);
      long first = DemoPrompt.checksum(lease);
      DemoPrompt.fill(1, lease);
      assertThat(DemoPrompt.checksum(lease)).isNotEqualTo(first);
      DemoPrompt.fill(0, lease);
      assertThat(DemoPrompt.checksum(lease)).isEqualTo(first);
    }
  }

  @Test
  void pythonsStrictZipComplainsAsInTheLogOfTheSeed() {
    assertThat(StrictZip.complaint(DemoPrompt.metadataWithoutDtypes()))
        .contains("ValueError: zip() argument 2 is shorter than argument 1");
  }
}
