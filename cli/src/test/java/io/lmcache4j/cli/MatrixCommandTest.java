/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.redis.RedisConnector;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MatrixCommandTest {

  private static final long TOKEN_BYTES = 128 << 10;

  private static Run matrix(String... more) {
    List<String> args = new ArrayList<>(List.of("matrix", "--model=llama-3.1-8b"));
    args.addAll(List.of(more));
    return Run.of(args.toArray(String[]::new));
  }

  @Test
  void everyPairFindsAndLoadsTheWholePrompt(@TempDir Path dir) throws IOException {
    try (LocalRedis redis = LocalRedis.start()) {
      // Two full chunks and a short one.
      Run run =
          matrix(
              "--url=" + redis.url(),
              "--prefill-tp=1,2,16",
              "--decode-tp=2,4",
              "--chunk-size=16",
              "--prompt-tokens=37",
              "--save-unfull-chunk",
              "--rounds=2",
              "--json",
              "--report=" + dir);
      assertThat(run.err()).contains("matrix.md", "matrix.csv", "matrix.json", "matrix.png");
      assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
      JsonNode json = new ObjectMapper().readTree(run.out());
      assertThat(Files.readString(dir.resolve("matrix.json"))).isEqualTo(run.out());
      assertThat(json.get("setting").get("parameters").longValue()).isEqualTo(8_030_261_248L);
      assertThat(json.get("pairs")).hasSize(6);
      for (JsonNode pair : json.get("pairs")) {
        int from = pair.get("prefillTp").intValue();
        int to = pair.get("decodeTp").intValue();
        assertThat(pair.get("hitTokensBefore").intValue()).isEqualTo(from == to ? 37 : 0);
        assertThat(pair.get("hitTokens").intValue()).isEqualTo(37);
        // Sixteen ranks have each of the eight heads twice.
        assertThat(pair.get("storedBytes").longValue())
            .isEqualTo(37 * TOKEN_BYTES * (from == 16 ? 2 : 1));
        assertThat(pair.get("loadedBytes").longValue()).isEqualTo(37 * TOKEN_BYTES);
        assertThat(pair.has("reshard")).isEqualTo(from != to);
        assertThat(pair.has("copy")).isEqualTo(from != to);
        if (from != to) {
          assertThat(pair.get("reshardToCopy").doubleValue()).isPositive();
          assertThat(pair.get("reshardReadBytes").longValue()).isEqualTo(37 * TOKEN_BYTES);
          assertThat(pair.get("reshardWrittenBytes").longValue()).isEqualTo(37 * TOKEN_BYTES);
        }
      }
      assertThat(Files.readAllLines(dir.resolve("matrix.csv"))).hasSize(7);
      try (RedisConnector connector = RedisConnector.open(redis.url())) {
        assertThat(connector.sync().list()).isEmpty();
      }
      Run again = Run.of("matrix", "--from=" + dir.resolve("matrix.json"), "--json");
      assertThat(again.out()).isEqualTo(run.out());
    }
  }

  @Test
  void aShortChunkAtTheEndIsNotStoredUnlessAskedFor() {
    Run run =
        matrix(
            "--prefill-tp=1", "--decode-tp=2", "--chunk-size=16", "--prompt-tokens=37", "--json");
    assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
    assertThat(run.out()).contains("\"hitTokensBefore\":0,\"hitTokens\":32,");
  }

  @Test
  void theTerminalIsShownATableMapsAndAnEstimate() {
    Run run = matrix("--prefill-tp=2", "--decode-tp=1,2", "--chunk-size=16", "--prompt-tokens=16");
    assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
    assertThat(run.err()).contains("memory that is needed at most: ");
    assertThat(run.out()).contains("no GPU took part", "\n2→1 ", "\n2→2 ", " P \\ D", "ESTIMATE");
  }

  @Test
  void moreThanTheMachineHasIsRefusedBeforeAServerIsStarted() {
    Run run = matrix("--prefill-tp=1", "--decode-tp=2", "--prompt-tokens=2000000000");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("of memory are needed on this machine", "would fit");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--prefill-tp=3 | 8 KV heads",
        "--decode-tp=0 | tensorParallelSize is 0",
        "--prompt-tokens=255 | a short one is not stored",
        "--prompt-tokens=0 | a prompt of 0 tokens",
        "--chunk-size=0 | chunkSize is 0",
        "--rounds=0 | rounds are 0",
        "--model=gpt-2 | known are llama-3.1-8b, llama-3.3-70b",
      })
  void whatCannotBeMeasuredIsRefused(String option, String said) {
    List<String> args = new ArrayList<>(List.of("matrix", "--url=redis://127.0.0.1:1", option));
    for (String other : List.of("--prefill-tp=1", "--decode-tp=1", "--model=llama-3.1-8b")) {
      if (!option.startsWith(other.substring(0, other.indexOf('=')))) {
        args.add(other);
      }
    }
    Run run = Run.of(args.toArray(String[]::new));
    assertThat(run.err()).contains(said);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void resultsAreEitherMeasuredOrRead(@TempDir Path dir) throws IOException {
    Path file = Files.writeString(dir.resolve("x.json"), "{}");
    assertThat(matrix("--from=" + file).exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(Run.of("matrix").exitCode()).isEqualTo(ExitCode.USAGE);
    Run bad = Run.of("matrix", "--from=" + file);
    assertThat(bad.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(bad.err()).contains("x.json: not the results of a matrix", "setting");
    Run none = Run.of("matrix", "--from=" + dir.resolve("none.json"));
    assertThat(none.err()).contains("there is no such file");
  }
}
