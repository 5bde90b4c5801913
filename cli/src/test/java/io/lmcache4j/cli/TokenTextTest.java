/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TokenTextTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1 2 3",
        "1\n2\n3\n",
        " 1,2,3 ",
        "1, 2 ,\n3",
        "[1,2,3]",
        "[ 1, 2, 3 ]\n",
        "1\t2  3"
      })
  void everySeparatorGivesTheSameTokens(String text) {
    assertThat(TokenText.parse("f", text)).containsExactly(1, 2, 3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " \n", "[]", "[ ]"})
  void nothingIsNoToken(String text) {
    assertThat(TokenText.parse("f", text)).isEmpty();
  }

  @Test
  void theLimitsOfALongAreRead() {
    assertThat(TokenText.parse("f", "-9223372036854775808 9223372036854775807"))
        .containsExactly(Long.MIN_VALUE, Long.MAX_VALUE);
  }

  @Test
  void aLongPromptIsReadWhole() {
    String text =
        LongStream.range(0, 100_000).mapToObj(Long::toString).collect(Collectors.joining(" "));
    assertThat(TokenText.parse("f", text)).hasSize(100_000).endsWith(99_999L);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1 2 x 4|token 3 is \"x\"",
        "1,,2|token 2 is \"\"",
        ",1|token 1 is \"\"",
        "1 2,|token 3 is \"\"",
        "[1, [2]]|token 2 is \"[2]\"",
        "[1, 2|token 1 is \"[1\"",
        "1.5|token 1 is \"1.5\"",
        "+1|token 1 is \"+1\"",
        "9223372036854775808|token 1 is",
      })
  void whatIsNoTokenIsNamedWithItsPosition(String text, String message) {
    assertThatThrownBy(() -> TokenText.parse("prompt.txt", text))
        .isInstanceOf(CommandException.class)
        .hasMessageStartingWith("prompt.txt: ")
        .hasMessageContaining(message);
  }
}
