/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The fake is what the other tests trust, so its own rules are tested first, in C. */
@FakeGpu
class FakeHipSelfTest {

  @TestFactory
  Stream<DynamicTest> the_fake_keeps_its_rules() throws InterruptedException {
    List<String> lines = new ArrayList<>();
    int status = runSelfTest(lines);
    List<DynamicTest> tests = new ArrayList<>();
    StringBuilder said = new StringBuilder();
    for (String line : lines) {
      if (line.startsWith("ok    ")) {
        tests.add(DynamicTest.dynamicTest(line.substring(6).strip(), () -> {}));
        said.setLength(0);
      } else if (line.startsWith("FAILED")) {
        String why = said.toString();
        tests.add(DynamicTest.dynamicTest(line.substring(6).strip(), () -> fail(why)));
        said.setLength(0);
      } else {
        said.append(line).append('\n');
      }
    }
    tests.add(
        DynamicTest.dynamicTest(
            "the self test comes to its end", () -> assertThat(status).isZero()));
    return tests.stream();
  }

  private static int runSelfTest(List<String> lines) throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder(NativeBuild.directory().resolve("fakehip_test").toString())
              .redirectErrorStream(true)
              .start();
      new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .forEach(lines::add);
      return process.waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
