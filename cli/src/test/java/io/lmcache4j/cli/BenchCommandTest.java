/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BenchCommandTest {

  @Test
  void theObjectHasTheNamesAndTheValuesThatWereAskedFor(@TempDir Path dir) throws IOException {
    Run run =
        Run.of(
            "bench",
            "--json",
            "--chunk-mib=0.25",
            "--batch=2",
            "--rounds=1",
            "--connections=1",
            "--path=copy",
            "--report=" + dir);
    assertThat(run.err()).contains("bench.md", "bench.csv", "throughput.png", "cpu.png");
    assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
    assertThat(run.lines()).hasSize(1);
    JsonNode json = new ObjectMapper().readTree(run.out());
    assertThat(json.fieldNames())
        .toIterable()
        .containsExactly(
            "put",
            "get",
            "lookup",
            "heapBytesPerChunk",
            "directBytesPeak",
            "path",
            "transport",
            "chunkMib",
            "batch",
            "connections");
    for (String way : new String[] {"put", "get"}) {
      assertThat(json.get(way).fieldNames())
          .toIterable()
          .containsExactly("gibPerSec", "cpuSecPerGib");
      assertThat(json.get(way).get("gibPerSec").doubleValue()).isPositive();
    }
    assertThat(json.get("lookup").fieldNames())
        .toIterable()
        .containsExactly("p50Micros", "p99Micros");
    // Both batches are direct memory.
    assertThat(json.get("directBytesPeak").longValue()).isGreaterThan(4 * (256 << 10));
    assertThat(json.get("path").textValue()).isEqualTo("copy");
    assertThat(json.get("chunkMib").doubleValue()).isEqualTo(0.25);
    assertThat(json.get("batch").intValue()).isEqualTo(2);
    assertThat(json.get("connections").intValue()).isEqualTo(1);
    assertThat(Files.readAllLines(dir.resolve("bench.csv"))).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource({
    "--chunk-mib=0.0001, 0.0001",
    "--chunk-mib=0, 1024",
    "--chunk-mib=2048, 2048",
    "--batch=0, below 1",
    "--rounds=0, below 1",
    "--connections=0, below 1",
    "--path=fast, fast",
  })
  void whatCannotBeMeasuredIsRefused(String option, String said) {
    // The URL leads nowhere: nothing is connected to before the options have been looked at.
    Run run = Run.of("bench", "--url=redis://127.0.0.1:1", option);
    assertThat(run.err()).contains(said);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
  }
}
