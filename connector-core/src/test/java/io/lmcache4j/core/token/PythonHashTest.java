/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.VectorFile;
import java.math.BigInteger;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class PythonHashTest {

  private final JsonNode vectors = VectorFile.read("hash_primitives");

  @TestFactory
  Stream<DynamicTest> hashesIntegersAsPython() {
    List<JsonNode> rows = HashVectors.list(vectors.path("int"));
    assertThat(rows).hasSize(19);
    return rows.stream()
        .map(
            row ->
                DynamicTest.dynamicTest(
                    row.path("value").textValue(),
                    () -> assertInteger(new BigInteger(row.path("value").textValue()), row)));
  }

  private static void assertInteger(BigInteger value, JsonNode row) {
    long expected = row.path("hash").longValue();
    assertThat(PythonHash.ofInteger(value)).isEqualTo(expected);
    if (value.bitLength() < Long.SIZE) {
      assertThat(PythonHash.ofInteger(value.longValueExact())).isEqualTo(expected);
    }
    if (value.bitLength() < Integer.SIZE) {
      assertThat(PythonHash.ofInteger(value.intValueExact())).isEqualTo(expected);
    }
  }

  @TestFactory
  Stream<DynamicTest> hashesTuplesAsPython() {
    List<JsonNode> rows = HashVectors.list(vectors.path("tuple"));
    assertThat(rows).hasSize(12);
    return rows.stream()
        .map(
            row ->
                DynamicTest.dynamicTest(
                    row.path("value").toString(),
                    () -> {
                      long hash = hash(row.path("value"));
                      assertThat(hash).isEqualTo(row.path("hash").longValue());
                      assertThat(Long.toString(hash, 16)).isEqualTo(row.path("hex").textValue());
                    }));
  }

  private static long hash(JsonNode value) {
    if (!value.isArray()) {
      return PythonHash.ofInteger(value.longValue());
    }
    long state = PythonHash.TUPLE_SEED;
    for (JsonNode element : value) {
      state = PythonHash.nextElement(state, hash(element));
    }
    return PythonHash.finishTuple(state, value.size());
  }

  @TestFactory
  Stream<DynamicTest> hashesStringsAsEachPython() {
    List<JsonNode> rows = HashVectors.list(vectors.path("str"));
    assertThat(rows).hasSize(150);
    return rows.stream()
        .map(
            row ->
                DynamicTest.dynamicTest(
                    row.path("python").textValue()
                        + " seed "
                        + row.path("PYTHONHASHSEED").textValue()
                        + " \""
                        + row.path("string").textValue()
                        + "\"",
                    () ->
                        assertThat(
                                PythonHash.ofString(
                                    row.path("string").textValue(),
                                    Long.parseLong(row.path("PYTHONHASHSEED").textValue()),
                                    PythonVersion.parse(row.path("python").textValue())))
                            .isEqualTo(row.path("hash").longValue())));
  }

  @Test
  void hashesTheEmptyTupleToPythonsConstant() {
    assertThat(PythonHash.EMPTY_TUPLE).isEqualTo(5740354900026072187L);
  }

  @Test
  void keepsMinusOneForErrorsAsPythonDoes() {
    long almost = -1 - (3L ^ PythonHash.TUPLE_SEED ^ 3527539L);

    assertThat(PythonHash.finishTuple(almost, 3)).isEqualTo(1546275796L);
  }
}
