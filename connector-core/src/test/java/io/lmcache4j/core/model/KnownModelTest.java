/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KnownModelTest {

  @ParameterizedTest
  @CsvSource({
    "llama-3.1-8b, llama-3.1-8b",
    "META-LLAMA/llama-3.1-8b-INSTRUCT, llama-3.1-8b",
    "LLAMA-3.3-70B, llama-3.3-70b",
    "meta-llama/Llama-3.3-70B-Instruct, llama-3.3-70b",
  })
  void isFoundByEitherName(String name, String shortName) {
    assertEquals(Optional.of(shortName), KnownModel.named(name).map(KnownModel::shortName));
  }

  @Test
  void anotherNameIsNotGuessedAt() {
    assertEquals(Optional.empty(), KnownModel.named("llama-3.1"));
  }

  /** The counts that are published with the weights. */
  @ParameterizedTest
  @CsvSource({"llama-3.1-8b, 8030261248", "llama-3.3-70b, 70553706496"})
  void parametersAreThePublishedOnes(String name, long parameters) {
    assertEquals(parameters, KnownModel.named(name).orElseThrow().parameters());
  }
}
