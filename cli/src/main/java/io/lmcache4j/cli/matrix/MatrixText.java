/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import io.lmcache4j.cli.matrix.MatrixResult.Pair;
import io.lmcache4j.cli.matrix.MatrixResult.Setting;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A result for a terminal: tables and heat maps. */
public final class MatrixText {

  private static final List<Figure> MAPS =
      List.of(Figure.FOUND_BEFORE, Figure.STORE, Figure.RESHARD, Figure.LOAD);

  /** From nothing to the largest value. */
  private static final String SHADES = " ░▒▓█";

  private static final int CELL = 9;

  private MatrixText() {}

  /**
   * Renders.
   *
   * @param result what was measured
   * @return lines of text
   */
  public static List<String> lines(MatrixResult result) {
    List<String> lines = new ArrayList<>(setting(result.setting()));
    lines.add("");
    lines.addAll(MatrixTables.measured(result).plain());
    for (Figure figure : MAPS) {
      if (figure.largest(result.pairs()) > 0) {
        lines.add("");
        lines.addAll(map(figure, result.pairs()));
      }
    }
    lines.add("");
    lines.add(
        "ESTIMATE of what it saves, from published figures (--report names them): a prefill by the"
            + " consumer's GPUs,");
    lines.add("against loading over loopback as measured here, and over a network of 100 Gbit/s.");
    lines.add("");
    lines.addAll(MatrixTables.estimated(result).plain());
    return lines;
  }

  /** What was measured, and where, in two sentences. */
  static List<String> setting(Setting setting) {
    return List.of(
        String.format(
            Locale.ROOT,
            "%s: %,d tokens in chunks of %d, %s; medians of %d.",
            setting.model(),
            setting.promptTokens(),
            setting.chunkTokens(),
            setting.dtype(),
            setting.rounds()),
        String.format(
            Locale.ROOT,
            "%s, %s; %s; %s.",
            setting.measuredBy(),
            setting.server(),
            setting.machine(),
            setting.gpu() == null ? "no GPU took part" : setting.gpu()));
  }

  private static List<String> map(Figure figure, List<Pair> pairs) {
    List<Integer> decode = pairs.stream().map(Pair::decodeTp).distinct().sorted().toList();
    List<Integer> prefill = pairs.stream().map(Pair::prefillTp).distinct().sorted().toList();
    List<String> lines = new ArrayList<>();
    lines.add(figure.title());
    StringBuilder head = new StringBuilder(" P \\ D");
    decode.forEach(size -> head.append(padded(Integer.toString(size))));
    lines.add(head.toString());
    for (int from : prefill) {
      StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%6d", from));
      for (int to : decode) {
        line.append(padded(cell(figure, pairs, value(figure, pairs, from, to))));
      }
      lines.add(line.toString());
    }
    return lines;
  }

  private static @Nullable Double value(Figure figure, List<Pair> pairs, int from, int to) {
    for (Pair pair : pairs) {
      if (pair.prefillTp() == from && pair.decodeTp() == to) {
        return figure.of(pair);
      }
    }
    return null;
  }

  private static String cell(Figure figure, List<Pair> pairs, @Nullable Double value) {
    if (value == null) {
      return "-";
    }
    int shade = (int) Math.ceil(value / figure.largest(pairs) * (SHADES.length() - 1));
    return figure.text(value) + " " + SHADES.charAt(Math.max(0, shade));
  }

  private static String padded(String text) {
    return " ".repeat(Math.max(1, CELL - text.length())) + text;
  }
}
