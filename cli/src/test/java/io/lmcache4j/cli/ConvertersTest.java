/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.token.NoneHash;
import java.math.BigInteger;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

final class ConvertersTest {

  @ParameterizedTest
  @CsvSource({"1h, 3600000", "30m, 1800000", "90s, 90000", "500ms, 500", "2d, 172800000"})
  void aDurationHasItsUnit(String text, long millis) {
    assertThat(new Converters.ToDuration().convert(text)).isEqualTo(Duration.ofMillis(millis));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1", "h", "0s", "-1s", "1.5h", "1 h", "1H", "1h30m", "9999999999s"})
  void anythingElseIsRefused(String text) {
    assertThatThrownBy(() -> new Converters.ToDuration().convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageContaining(text);
  }

  @Test
  void aNoneHashIsAnIntegerOrADigest() {
    Converters.ToNoneHash converter = new Converters.ToNoneHash();
    assertThat(converter.convert("-5")).isEqualTo(NoneHash.of(-5));
    assertThat(converter.convert("18446744073709551615"))
        .isEqualTo(NoneHash.of(new BigInteger("18446744073709551615")));
    assertThat(converter.convert("AB".repeat(32)))
        .isEqualTo(new NoneHash.DigestValue("ab".repeat(32)));
    assertThatThrownBy(() -> converter.convert("ab"))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageContaining("digest");
    assertThatThrownBy(() -> converter.convert("18446744073709551616"))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageContaining("allowed");
  }
}
