/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is refused before anything is opened; SidecarProcessTest has what runs. */
final class SidecarCommandTest {

  private static Run sidecar(Map<String, String> environment, String options) {
    List<String> args = new ArrayList<>(List.of("sidecar", "--url", "redis://127.0.0.1:1"));
    args.addAll(List.of(options.split(" ")));
    return Run.with(environment, "", args.toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--prefill http://p:1 --model m | without a decode instance",
        "--prefill http://p:1 --decode http://d:1 | needs --model",
        "--prefill http://p:1/v1 --decode http://d:1 --model m | http://p:1/v1",
        "--prefill ftp://p:1 --decode http://d:1 --model m | ftp://p:1",
        "--prefill http://p:1 --decode http://d:1 --model m --from-tp 2 --to-tp 4 | --kv-heads",
        "--listen 8000 | not HOST:PORT",
        "--listen a:b | not HOST:PORT",
        "--max-requests 0 | below 1",
        "--body-memory-mib 15 | less than the 16777216 of one",
        "--doctor-every 10 | not a duration",
      })
  void whatCannotBeMeantIsRefused(String options, String reason) {
    Run run = sidecar(Map.of("PYTHONHASHSEED", "0"), options);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains(reason);
  }

  @Test
  void keysThatCannotBeComputedAreRefused() {
    String proxy = "--prefill http://p:1 --decode http://d:1 --model m";
    Run unseeded = sidecar(Map.of(), proxy);
    assertThat(unseeded.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(unseeded.err()).contains("PYTHONHASHSEED is not set");
    Run layers = sidecar(Map.of("PYTHONHASHSEED", "0", "LMCACHE_USE_LAYERWISE", "true"), proxy);
    assertThat(layers.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(layers.err()).contains("use_layerwise");
  }

  @Test
  void aModelThatIsKnownNeedsNoNumbers() {
    Run run =
        sidecar(
            Map.of("PYTHONHASHSEED", "0"),
            "--prefill http://p:1 --decode http://d:1 --from-tp 2 --to-tp 4"
                + " --model meta-llama/Llama-3.1-8B-Instruct");
    assertThat(run.exitCode()).as("it went as far as Redis").isEqualTo(ExitCode.SERVER);
    assertThat(run.err()).contains("127.0.0.1:1");
  }
}
