/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.lmcache4j.tests.interop.PythonEnvironment;
import io.lmcache4j.tests.interop.differential.VectorFiles.Vector;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What differential runs found, replayed in every build: LMCache's answers are in the files. */
class DifferentialVectorsTest {

  private static List<Vector> vectors() {
    return VectorFiles.readAll(PythonEnvironment.findRepository());
  }

  @TestFactory
  Stream<DynamicTest> everyFindingIsStillAsItWas() {
    return vectors().stream()
        .map(
            vector ->
                dynamicTest(
                    vector.name(),
                    () -> {
                      Kind kind = vector.input().judge();
                      Verdict verdict = kind.judge(vector.input().input(), vector.replies());
                      assertThat(verdict.isFailure()).as("%s", verdict.detail()).isFalse();
                      if (vector.expected() != null) {
                        assertThat(verdict.name()).isEqualTo(vector.expected());
                      }
                    }));
  }

  @Test
  void everyListedDifferenceHasAVector() {
    assertThat(vectors())
        .extracting(Vector::expected)
        .containsAll(Arrays.stream(Difference.values()).map(Enum::name).toList());
  }
}
