/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.PythonVersion;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Any text as a version, shape, dtype, …: each prints as what it was read from, or is refused. */
class NamesAndNumbersFuzzTest {

  @FuzzTest
  void readsWhatItPrints(FuzzedDataProvider data) {
    String text = data.consumeRemainingAsString();
    check(text, LmcacheVersion::parse, LmcacheVersion::toString);
    check(text, PythonVersion::parse, PythonVersion::toString);
    check(text, Shape::parse, NamesAndNumbersFuzzTest::commas);
    check(text, DType::parse, DType::torchName);
    check(text, MemoryFormat::parse, MemoryFormat::name);
    check(text, HashAlgorithm::parse, HashAlgorithm::configName);
    check(text, NoneHash::ofSeed, seed -> text);
  }

  private static <T> void check(
      String text, Function<String, T> parser, Function<T, String> printer) {
    Allocation.isPaidFor(text.length(), 256, () -> parser.apply(text));
    T value;
    try {
      value = parser.apply(text);
    } catch (IllegalArgumentException e) {
      assertThat(e.getMessage()).isNotBlank();
      return;
    }
    assertThat(parser.apply(printer.apply(value))).isEqualTo(value);
  }

  private static String commas(Shape shape) {
    return IntStream.range(0, shape.rank())
        .mapToObj(i -> Long.toString(shape.dim(i)))
        .collect(Collectors.joining(","));
  }
}
