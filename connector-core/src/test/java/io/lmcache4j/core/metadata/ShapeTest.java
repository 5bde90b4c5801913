/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShapeTest {

  @Test
  void aShapeIsReadAndShownAsItWasSaid() {
    Shape shape = Shape.parse("2,32,256,1024");
    assertThat(shape).isEqualTo(Shape.of(2, 32, 256, 1024)).hasToString("[2, 32, 256, 1024]");
    assertThat(shape).hasSameHashCodeAs(Shape.of(2, 32, 256, 1024));
    assertThat(shape).isNotEqualTo(Shape.of(2, 32, 256)).isNotEqualTo(Shape.of(2, 32, 256, 1));
    assertThat(shape.rank()).isEqualTo(4);
    assertThat(shape.dim(3)).isEqualTo(1024);
    assertThat(Shape.of()).hasToString("[]");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "2,", ",2", "2,x", "2, 3", "[2]", "2x3", "9223372036854775808"})
  void anythingElseIsNoShape(String text) {
    assertThatThrownBy(() -> Shape.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("not a shape: \"%s\" (expected e.g. 2,32,256,1024)", text);
  }

  @Test
  void elementsAreExactOrSaturated() {
    long max = Integer.MAX_VALUE;
    assertThat(Shape.of(2, 32, 256, 1024).elements()).isEqualTo(16_777_216);
    assertThat(Shape.of().elements()).isEqualTo(1);
    assertThat(Shape.of(max, max).elements()).isEqualTo(max * max);
    assertThat(Shape.of(max, max, 3).elements()).isEqualTo(Long.MAX_VALUE);
    assertThat(Shape.of(max, max, max, max).elements()).isEqualTo(Long.MAX_VALUE);
    assertThat(Shape.of(1L << 32, 1L << 31).elements()).isEqualTo(Long.MAX_VALUE);
    assertThat(Shape.of(max, max, max, 0).elements()).isZero();
    assertThat(Shape.of(0, -1).elements()).isEqualTo(-1);
    assertThat(Shape.of(-2, -2).elements()).isEqualTo(-1);
  }

  @Test
  void theGivenArrayIsCopied() {
    long[] dims = {1, 2};
    Shape shape = Shape.of(dims);
    dims[0] = 9;
    assertThat(shape).isEqualTo(Shape.of(1, 2));
  }

  @Test
  void aFormatIsFoundByItsName() {
    assertThat(MemoryFormat.parse("KV_2LTD")).isEqualTo(MemoryFormat.KV_2LTD);
    assertThatThrownBy(() -> MemoryFormat.parse("kv_2ltd"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"kv_2ltd\" (known: [UNDEFINED, KV_2LTD,");
  }
}
