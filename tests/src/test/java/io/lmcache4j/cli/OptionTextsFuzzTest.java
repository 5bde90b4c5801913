/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.lmcache4j.tests.fuzz.Allocation;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Any text as the value of an option, or as tokens: it is read, or refused as bad input. */
class OptionTextsFuzzTest {

  private static final List<ITypeConverter<?>> CONVERTERS =
      List.of(
          new Converters.ToShape(),
          new Converters.ToDType(),
          new Converters.ToMemoryFormat(),
          new Converters.ToLmcacheVersion(),
          new Converters.ToPythonVersion(),
          new Converters.ToHashAlgorithm(),
          new Converters.ToNoneHash(),
          new Converters.ToDuration());

  @FuzzTest
  void readsOrRefuses(FuzzedDataProvider data) throws Exception {
    String text = data.consumeRemainingAsString();
    for (ITypeConverter<?> converter : CONVERTERS) {
      try {
        Object value = converter.convert(text);
        if (value instanceof Duration duration) {
          assertThat(duration).isPositive();
        }
      } catch (TypeConversionException e) {
        assertThat(e.getMessage()).isNotEmpty();
      }
    }
    Allocation.isPaidFor(text.length(), 256, () -> TokenText.parse("tokens", text));
    tokens(text);
  }

  private static void tokens(String text) {
    long[] tokens;
    try {
      tokens = TokenText.parse("tokens", text);
    } catch (CommandException e) {
      assertThat(e).hasMessageContaining("which is no token id");
      return;
    }
    String printed =
        Arrays.stream(tokens).mapToObj(Long::toString).collect(Collectors.joining(" "));
    assertThat(TokenText.parse("tokens", printed)).isEqualTo(tokens);
    assertThat(TokenText.parse("tokens", Arrays.toString(tokens))).isEqualTo(tokens);
  }
}
