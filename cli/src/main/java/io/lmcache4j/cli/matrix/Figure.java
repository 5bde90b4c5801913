/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import io.lmcache4j.cli.matrix.MatrixResult.Pair;
import io.lmcache4j.cli.matrix.MatrixResult.Times;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One number of each pair: a column of the table, and a heat map.
 *
 * @param title head of the column, and title of the map
 * @param format of a value
 * @param value the number of a pair, null where it was not measured
 */
record Figure(String title, String format, Function<Pair, @Nullable Double> value) {

  static final Figure FOUND_BEFORE =
      new Figure("tokens found without resharding", "%.0f", p -> number(p.hitTokensBefore()));

  static final Figure FOUND = new Figure("tokens found", "%.0f", p -> number(p.hitTokens()));

  static final Figure MOVED = new Figure("MiB moved in all", "%.0f", Figure::movedMib);

  static final Figure STORE = new Figure("store, ms", "%.0f", p -> millis(p.store()));

  static final Figure RESHARD = new Figure("reshard, ms", "%.0f", p -> millis(p.reshard()));

  static final Figure COPY = new Figure("plain copy, ms", "%.0f", p -> millis(p.copy()));

  static final Figure RATIO = new Figure("reshard / plain copy", "%.2f", Pair::reshardToCopy);

  static final Figure LOOKUP = new Figure("lookup, ms", "%.2f", p -> millis(p.lookup()));

  static final Figure LOAD = new Figure("load, ms", "%.0f", p -> millis(p.load()));

  static final Figure TTFT_COLD =
      new Figure("first token, cold, ms", "%.0f", p -> millis(p.ttftCold()));

  static final Figure TTFT_CACHED =
      new Figure("first token, cached, ms", "%.0f", p -> millis(p.ttftCached()));

  /** All of them, in the order of the columns. */
  static final List<Figure> ALL =
      List.of(
          FOUND_BEFORE,
          FOUND,
          MOVED,
          STORE,
          RESHARD,
          COPY,
          RATIO,
          LOOKUP,
          LOAD,
          TTFT_COLD,
          TTFT_CACHED);

  private static final double MIB = 1 << 20;

  private static @Nullable Double number(@Nullable Number number) {
    return number == null ? null : number.doubleValue();
  }

  private static @Nullable Double millis(@Nullable Times times) {
    return times == null ? null : times.millis();
  }

  /** Stored, read and written to be resharded, and loaded; the copy is not part of the work. */
  private static @Nullable Double movedMib(Pair pair) {
    return Stream.of(
            number(pair.storedBytes()),
            number(pair.reshardReadBytes()),
            number(pair.reshardWrittenBytes()),
            number(pair.loadedBytes()))
        .filter(Objects::nonNull)
        .reduce(Double::sum)
        .map(bytes -> bytes / MIB)
        .orElse(null);
  }

  /** The value of a pair; null where it was not measured. */
  @Nullable Double of(Pair pair) {
    return value.apply(pair);
  }

  /** A value as text. */
  String text(double number) {
    return String.format(Locale.ROOT, format, number);
  }

  /** The largest value; 0 if there is none, and then there is no map to draw. */
  double largest(List<Pair> pairs) {
    return pairs.stream()
        .map(this::of)
        .filter(Objects::nonNull)
        .mapToDouble(number -> number)
        .max()
        .orElse(0);
  }
}
