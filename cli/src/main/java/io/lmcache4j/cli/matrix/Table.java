/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Cells in columns, for a terminal and for Markdown. A column without any value is left out. */
final class Table<R> {

  private static final String NOTHING = "-";

  private final List<R> rows;
  private final List<String> heads = new ArrayList<>();
  private final List<List<String>> columns = new ArrayList<>();

  Table(List<R> rows) {
    this.rows = rows;
  }

  /** Adds a column; the cell of a row that has none is empty. */
  Table<R> column(String head, Function<R, String> cell) {
    List<String> cells = rows.stream().map(cell).toList();
    if (cells.stream().anyMatch(text -> !text.isEmpty())) {
      heads.add(head);
      columns.add(cells.stream().map(text -> text.isEmpty() ? NOTHING : text).toList());
    }
    return this;
  }

  private List<String> row(int row) {
    return columns.stream().map(column -> column.get(row)).toList();
  }

  /** Lines, columns flush to the right, heads broken at spaces so that columns stay narrow. */
  List<String> plain() {
    List<List<String>> words = heads.stream().map(head -> List.of(head.split(" "))).toList();
    int tallest = words.stream().mapToInt(List::size).max().orElse(0);
    List<List<String>> lines = new ArrayList<>();
    for (int line = 0; line < tallest; line++) {
      int missing = tallest - line;
      lines.add(
          words.stream()
              .map(head -> missing > head.size() ? "" : head.get(head.size() - missing))
              .toList());
    }
    for (int row = 0; row < rows.size(); row++) {
      lines.add(row(row));
    }
    List<Integer> widths = new ArrayList<>();
    for (int column = 0; column < columns.size(); column++) {
      int at = column;
      widths.add(lines.stream().mapToInt(line -> line.get(at).length()).max().orElse(0));
    }
    return lines.stream().map(line -> aligned(line, widths)).toList();
  }

  private static String aligned(List<String> cells, List<Integer> widths) {
    List<String> padded = new ArrayList<>();
    for (int i = 0; i < cells.size(); i++) {
      padded.add(" ".repeat(widths.get(i) - cells.get(i).length()) + cells.get(i));
    }
    return String.join("  ", padded).stripTrailing();
  }

  /** A table of GitHub's Markdown. */
  String markdown() {
    StringBuilder md = new StringBuilder(line(heads));
    md.append(line(Collections.nCopies(heads.size(), "---:")));
    for (int row = 0; row < rows.size(); row++) {
      md.append(line(row(row)));
    }
    return md.toString();
  }

  private static String line(List<String> cells) {
    return cells.stream().collect(Collectors.joining(" | ", "| ", " |\n"));
  }
}
