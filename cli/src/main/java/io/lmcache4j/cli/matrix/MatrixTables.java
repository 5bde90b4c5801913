/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import io.lmcache4j.cli.matrix.Estimate.Gpu;
import io.lmcache4j.cli.matrix.MatrixResult.Pair;
import io.lmcache4j.cli.matrix.MatrixResult.Setting;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The two tables of every report: what was measured, and what is estimated from it. */
final class MatrixTables {

  private MatrixTables() {}

  static Table<Pair> measured(MatrixResult result) {
    Table<Pair> table = new Table<>(result.pairs()).column("P→D", Pair::name);
    for (Figure figure : Figure.ALL) {
      table.column(figure.title(), pair -> text(figure, pair));
    }
    return table;
  }

  static Table<Pair> estimated(MatrixResult result) {
    Setting setting = result.setting();
    List<Pair> pairs =
        result.pairs().stream()
            .filter(pair -> pair.hitTokens() > 0 && pair.loadedBytes() != null)
            .toList();
    Table<Pair> table = new Table<>(pairs).column("P→D", Pair::name);
    for (Gpu gpu : Gpu.values()) {
      table.column(
          "prefill on D x " + gpu.label + ", ms",
          pair -> format("%.0f", prefillMillis(setting, gpu, pair)));
    }
    table.column("load measured here, ms", pair -> text(Figure.LOAD, pair));
    table.column(
        "load at 100 Gbit/s, ms",
        pair -> format("%.0f", Estimate.networkMillis(orZero(pair.loadedBytes()))));
    table.column(
        "reshard at 100 Gbit/s, ms",
        pair -> {
          long moved = orZero(pair.reshardReadBytes()) + orZero(pair.reshardWrittenBytes());
          return moved == 0 ? "" : format("%.0f", Estimate.networkMillis(moved));
        });
    for (Gpu gpu : Gpu.values()) {
      table.column(
          "loading wins against " + gpu.label + " above, Gbit/s",
          pair ->
              format(
                  "%.0f",
                  Estimate.breakEvenGbit(
                      orZero(pair.loadedBytes()), prefillMillis(setting, gpu, pair))));
    }
    return table;
  }

  private static double prefillMillis(Setting setting, Gpu gpu, Pair pair) {
    return Estimate.prefillMillis(setting, pair.hitTokens(), gpu, pair.decodeTp());
  }

  private static long orZero(@Nullable Long bytes) {
    return bytes == null ? 0 : bytes;
  }

  private static String text(Figure figure, Pair pair) {
    Double value = figure.of(pair);
    return value == null ? "" : figure.text(value);
  }

  private static String format(String format, Object... args) {
    return String.format(Locale.ROOT, format, args);
  }
}
