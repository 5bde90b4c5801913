/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import io.lmcache4j.cli.matrix.Estimate.Gpu;
import io.lmcache4j.cli.matrix.MatrixResult.Pair;
import io.lmcache4j.cli.matrix.MatrixResult.Times;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Writes a result down: {@code matrix.md}, {@code .csv}, {@code .json} and {@code .png}. */
public final class MatrixReport {

  private static final String HEAD =
      "prefill_tp,decode_tp,hit_tokens_before,hit_tokens,stored_bytes,reshard_read_bytes,"
          + "reshard_written_bytes,loaded_bytes,store_ms,store_fastest,store_slowest,"
          + "reshard_ms,reshard_fastest,reshard_slowest,copy_ms,copy_fastest,copy_slowest,"
          + "lookup_ms,lookup_fastest,lookup_slowest,load_ms,load_fastest,load_slowest,"
          + "ttft_cold_ms,ttft_cold_fastest,ttft_cold_slowest,"
          + "ttft_cached_ms,ttft_cached_fastest,ttft_cached_slowest\n";

  private static final double GIGA = 1e9;

  private MatrixReport() {}

  /**
   * Writes.
   *
   * @param directory where; made if it is not there
   * @param result what
   * @return the files
   * @throws IOException if they cannot be written
   */
  public static List<Path> write(Path directory, MatrixResult result) throws IOException {
    Files.createDirectories(directory);
    Path png = directory.resolve("matrix.png");
    MatrixCharts.draw(result.pairs(), png);
    return List.of(
        Files.writeString(directory.resolve("matrix.md"), markdown(result)),
        Files.writeString(directory.resolve("matrix.csv"), csv(result)),
        Files.writeString(directory.resolve("matrix.json"), result.json() + "\n"),
        png);
  }

  private static String csv(MatrixResult result) {
    StringBuilder csv = new StringBuilder(HEAD);
    for (Pair pair : result.pairs()) {
      csv.append(
          String.join(
              ",",
              cell(pair.prefillTp()),
              cell(pair.decodeTp()),
              cell(pair.hitTokensBefore()),
              cell(pair.hitTokens()),
              cell(pair.storedBytes()),
              cell(pair.reshardReadBytes()),
              cell(pair.reshardWrittenBytes()),
              cell(pair.loadedBytes()),
              cells(pair.store()),
              cells(pair.reshard()),
              cells(pair.copy()),
              cells(pair.lookup()),
              cells(pair.load()),
              cells(pair.ttftCold()),
              cells(pair.ttftCached())));
      csv.append('\n');
    }
    return csv.toString();
  }

  private static String cell(@Nullable Number value) {
    return value == null ? "" : value.toString();
  }

  private static String cells(@Nullable Times times) {
    return times == null
        ? ",,"
        : format("%.3f,%.3f,%.3f", times.millis(), times.fastest(), times.slowest());
  }

  private static String markdown(MatrixResult result) {
    StringBuilder md = new StringBuilder("# P/D matrix\n\n");
    md.append(String.join(" ", MatrixText.setting(result.setting())));
    md.append(
        "\n\nP producer ranks store a prompt's chunks; where the consumer has D ranks and D is not"
            + " P, they are resharded; then D ranks look up and load. Without resharding a consumer"
            + " with D ≠ P finds nothing, as the second column shows.\n\n## Measured\n\n");
    md.append(MatrixTables.measured(result).markdown());
    md.append("\n![Heat maps of the same figures](matrix.png)\n\n");
    md.append(estimate(result));
    if (result.pairs().stream().allMatch(pair -> pair.ttftCached() == null)) {
      md.append(missing());
    }
    return md.toString();
  }

  private static String estimate(MatrixResult result) {
    StringBuilder md = new StringBuilder("## What it saves: an ESTIMATE\n\n");
    md.append(
        "Nothing in this table but the load here was measured. A consumer that does not find the"
            + " prompt has to compute it on its own D GPUs; the time for that follows from published"
            + " figures. Loading wins where its rate is above the last columns.\n\n");
    md.append(MatrixTables.estimated(result).markdown());
    md.append('\n');
    rates(result, md);
    md.append("| constant | value | source |\n|---|---|---|\n");
    constant(
        md,
        "operations of a prefill of n tokens",
        format(
            "2 · %,d · n + 2 · %d · n² · %d · %d; %.3g for %,d tokens",
            result.setting().parameters(),
            result.setting().layers(),
            result.setting().queryHeads(),
            result.setting().headSize(),
            Estimate.prefillFlops(result.setting(), result.setting().promptTokens()),
            result.setting().promptTokens()),
        Estimate.FLOPS_SOURCE);
    for (Gpu gpu : Gpu.values()) {
      constant(
          md,
          gpu.label + ", dense bfloat16 peak",
          format("%,.1f TFLOPS", gpu.flopsPerSecond / 1e12),
          gpu.source);
    }
    constant(
        md,
        "part of the peak that is reached",
        format("%.0f %%", Estimate.UTILISATION * 100),
        Estimate.UTILISATION_SOURCE);
    constant(
        md,
        "network",
        format("%.0f Gbit/s", Estimate.NETWORK_BITS_PER_SECOND / GIGA),
        Estimate.NETWORK_SOURCE);
    return md.append('\n').toString();
  }

  private static void rates(MatrixResult result, StringBuilder md) {
    double[] gbits =
        result.pairs().stream()
            .map(MatrixReport::loadGbit)
            .filter(Objects::nonNull)
            .mapToDouble(rate -> rate)
            .sorted()
            .toArray();
    if (gbits.length > 0) {
      md.append(
          format(
              "Here the ranks together loaded at %.0f to %.0f Gbit/s from one server, which is what"
                  + " a Redis without I/O threads gives: to fill 100 Gbit/s takes several of them, as"
                  + " a cluster.%n%n",
              gbits[0], gbits[gbits.length - 1]));
    }
  }

  private static @Nullable Double loadGbit(Pair pair) {
    Times load = pair.load();
    Long bytes = pair.loadedBytes();
    return load == null || bytes == null || load.millis() <= 0
        ? null
        : Estimate.breakEvenGbit(bytes, load.millis());
  }

  private static void constant(StringBuilder md, String name, String value, String source) {
    md.append(format("| %s | %s | %s |%n", name, value, source));
  }

  private static String missing() {
    return """
        ## What a run on GPUs would still have to show

        - The time to the first token, cold and from the cache: what a user feels. Prefill is estimated above, and \
        the copy between host and device is not in it.
        - That vLLM computes with resharded chunks what it computes with its own: here their bytes were compared, \
        and no token was generated.
        - The ranks as processes of their own on several machines, beside the traffic of others, and a network \
        between them and Redis. Here all shared the processors of one machine with the server.
        - How much of loading and storing vLLM hides behind computing, layer by layer.

        Figures of such a run have a place in the JSON form (`ttftCold`, `ttftCached`, `gpu`), and \
        `lmcache4j matrix --from FILE.json --report DIR` renders them as this report.
        """;
  }

  private static String format(String format, Object... args) {
    return String.format(Locale.ROOT, format, args);
  }
}
