/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.cli.matrix.MatrixResult.Pair;
import io.lmcache4j.cli.matrix.MatrixResult.Setting;
import io.lmcache4j.cli.matrix.MatrixResult.Times;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MatrixResultTest {

  private static final Times TIMES = new Times(2, 1, 3);

  private static final MatrixResult FULL =
      new MatrixResult(
          new Setting("x", "m", 5, 1, 4, 2, 8, "bfloat16", 512, 256, 3, "redis", "here", "8 x G"),
          List.of(
              new Pair(
                  1, 2, 0, 512, 100L, TIMES, 101L, 102L, TIMES, TIMES, 1.25, TIMES, 103L, TIMES,
                  TIMES, TIMES),
              new Pair(
                  2,
                  2,
                  null,
                  256,
                  null,
                  null,
                  null,
                  null,
                  null,
                  null,
                  null,
                  null,
                  null,
                  null,
                  TIMES,
                  new Times(1, 1, 1))));

  /** What a script around vLLM is asked for at the least. */
  private static final String LEAST =
      """
      {"setting": {"measuredBy": "deploy/measure", "model": "m", "parameters": 8030261248,
        "layers": 32, "queryHeads": 32, "kvHeads": 8, "headSize": 128, "dtype": "bfloat16",
        "promptTokens": 8192, "chunkTokens": 256, "rounds": 5, "server": "redis 8.4.0",
        "machine": "two nodes", "gpu": "8 x MI300X"},
       "pairs": [{"prefillTp": 2, "decodeTp": 4, "hitTokens": 8192,
        "ttftCold": {"millis": 400.5, "fastest": 399, "slowest": 410},
        "ttftCached": {"millis": 90, "fastest": 88, "slowest": 120}}]}
      """;

  @Test
  void theJsonFormIsReadAsItWasWritten() {
    assertThat(MatrixResult.parse(FULL.json())).isEqualTo(FULL);
    assertThat(FULL.json()).doesNotContain("null");
  }

  @Test
  void whatWasNotMeasuredIsLeftOut(@TempDir Path dir) throws IOException {
    MatrixResult result = MatrixResult.parse(LEAST);
    assertThat(result.pairs().get(0).load()).isNull();
    String text = String.join("\n", MatrixText.lines(result));
    assertThat(text).contains("8 x MI300X", "cached", "401", "2→4").doesNotContain("reshard");
    assertThat(text).doesNotContain("ESTIMATE");
    MatrixReport.write(dir, result);
    assertThat(Files.readString(dir.resolve("matrix.md")))
        .contains("| 2→4 | 8192 | 401 | 90 |")
        .doesNotContain("ESTIMATE", "still have to show");
    List<String> csv = Files.readAllLines(dir.resolve("matrix.csv"));
    assertThat(csv.get(0).split(",", -1)).hasSameSizeAs(csv.get(1).split(",", -1));
    assertThat(csv.get(1))
        .isEqualTo("2,4,,8192,,,,,,,,,,,,,,,,,,,,,400.500,399.000,410.000,90.000,88.000,120.000");
    assertThat(ImageIO.read(dir.resolve("matrix.png").toFile())).isNotNull();
  }

  @Test
  void theExampleInTheDocumentationIsRead() throws IOException {
    String text = Files.readString(Path.of("..", "docs", "MATRIX.md"));
    int start = text.indexOf("```json") + "```json".length();
    MatrixResult result = MatrixResult.parse(text.substring(start, text.indexOf("```", start)));
    assertThat(result.pairs()).hasSize(1);
  }

  @Test
  void whatIsNotAResultIsRefusedByName() {
    assertThatThrownBy(() -> MatrixResult.parse(LEAST.replace("ttftCold", "ttftcold")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ttftcold");
    assertThatThrownBy(() -> MatrixResult.parse(LEAST.replace("\"hitTokens\": 8192,", "")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("hitTokens");
    assertThatThrownBy(
            () -> MatrixResult.parse(LEAST.replace("\"decodeTp\": 4", "\"decodeTp\": 0")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2 and 0");
    assertThatThrownBy(() -> MatrixResult.parse("null"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void timesAreTheMedianOfTheRounds() {
    assertThat(Times.ofNanos(9_000_000, 1_000_000, 2_000_000)).isEqualTo(new Times(2, 1, 9));
    assertThat(Times.ofNanos(4_000_000, 1_000_000)).isEqualTo(new Times(2.5, 1, 4));
  }
}
