/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The right column is what {@code _parse_quoted_string} of LMCache 0.5.6 returned. */
final class PythonStringTest {

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "plain|plain",
        "` padded `|padded",
        "'single'|single",
        "\"double\"|double",
        "''|``",
        "'|'",
        "'a\"|'a\"",
        "'a\\'b'|a'b",
        "'a'b'|a'b",
        "'\\x41\\u0042\\U00000043\\104\\0|'\\x41\\u0042\\U00000043\\104\\0",
        "'\\x41\\u0042\\U00000043\\104'|ABCD",
        "'\\q'|\\q",
        "'\\xZZ'|\\xZZ",
        "'\\'|\\",
        "'C:\\\\tmp'|C:\\tmp",
      },
      delimiter = '|')
  void isReadAsLmcacheReadsIt(String raw, String expected) {
    assertThat(PythonString.unquote(raw)).isEqualTo(expected);
  }
}
