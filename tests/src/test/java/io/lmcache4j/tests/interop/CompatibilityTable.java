/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import io.lmcache4j.tests.interop.differential.Difference;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;

/**
 * Collects what the tests proved and writes {@code docs/COMPATIBILITY.md}: release × feature ×
 * direction. Nothing in it depends on the day or the order, so that it can be committed.
 */
final class CompatibilityTable {

  private static final String SERVERS = "<!-- servers -->";

  private static final String PROVEN = "✓";

  private record Cell(Feature feature, Direction direction, Release release) {}

  private final Map<Cell, String> cells = new HashMap<>();
  private final Set<Deviation> seen = EnumSet.noneOf(Deviation.class);
  private final Map<Deviation, String> tests = new EnumMap<>(Deviation.class);
  private String environment = "";

  /** Notes what the run ran on. */
  void environment(String text) {
    environment = text;
  }

  /** Notes that a feature works, as one test has shown; others may add to it. */
  void proven(Feature feature, Direction direction, Release release) {
    cells.putIfAbsent(new Cell(feature, direction, release), PROVEN);
  }

  /** Notes that the release can't, or could not be run; every direction. */
  void cannot(Feature feature, Release release, String reason) {
    put("can't: " + reason, feature, release);
  }

  /** Notes the same of one direction. */
  void cannot(Feature feature, Direction direction, Release release, String reason) {
    put("can't: " + reason, feature, List.of(direction), release);
  }

  /** Notes that the release never had such a thing. */
  void absent(Feature feature, Release release, String reason) {
    put("none: " + reason, feature, release);
  }

  private void put(String verdict, Feature feature, Release release) {
    put(verdict, feature, feature.directions(), release);
  }

  private void put(String verdict, Feature feature, List<Direction> directions, Release release) {
    boolean known = true;
    for (Direction direction : directions) {
      String before = cells.put(new Cell(feature, direction, release), verdict);
      if (before != null && !before.equals(verdict)) {
        throw new IllegalStateException(
            feature + " of " + release + ": " + before + ", and then " + verdict);
      }
      known &= before != null;
    }
    if (!known) {
      System.out.printf("interop: LMCache %s, %s: %s%n", release, feature.title, verdict);
    }
  }

  /** Notes that a deviation was seen on both sides. */
  void seen(Deviation deviation, String test) {
    seen.add(deviation);
    tests.put(deviation, test);
  }

  private List<String> missing() {
    List<String> missing = new ArrayList<>();
    for (Feature feature : Feature.values()) {
      for (Direction direction : feature.directions()) {
        for (Release release : Release.all()) {
          if (!cells.containsKey(new Cell(feature, direction, release))) {
            missing.add(feature + " " + direction + " " + release);
          }
        }
      }
    }
    for (Deviation deviation : Deviation.values()) {
      if (!seen.contains(deviation)) {
        missing.add(deviation.toString());
      }
    }
    return missing;
  }

  /** The section that {@code tests/servers/table.py} has written, which these tests know not of. */
  private static String servers(String before) {
    int begin = before.indexOf(SERVERS);
    return begin < 0 ? "" : "\n" + before.substring(begin);
  }

  /** Writes the file, if every cell is decided; otherwise says what is not. */
  void write(Path file) {
    List<String> missing = missing();
    if (!missing.isEmpty()) {
      System.out.printf(
          "interop: %s is left alone: this run did not decide %s and %d more%n",
          file.getFileName(), missing.get(0), missing.size() - 1);
      return;
    }
    try {
      Files.createDirectories(file.getParent());
      String before = Files.exists(file) ? Files.readString(file) : "";
      String text = text() + servers(before);
      boolean same = before.equals(text);
      Files.writeString(file, text);
      System.out.printf(
          "interop: %s %s%n", file.getFileName(), same ? "is as it was" : "has changed: commit it");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String text() {
    StringBuilder out = new StringBuilder();
    out.append(
        """
        # Compatibility with Python LMCache

        Written by `./mvnw -Pinterop -pl tests -am verify`; do not edit. Every cell is the outcome of a test
        that drove the real package: LMCache's own `RemoteBackend`, connector, header, key and token code, over
        a pipe (`tests/python/peer.py`). vLLM is not installed: where LMCache asks it for a hash function or for
        NONE_HASH, `tests/python/restated_vllm.py` answers.

        """);
    out.append("Run on ").append(environment).append(".\n\n");
    out.append(
        """
        - ✓ proven: equal payloads, shapes, dtypes, formats; equal Redis keys and values, byte for byte, when each
          side writes the same chunk; on the zero-copy path and on the copying one (0.5.6; older releases: the former).
        - A number is a note below the table.

        ## Release × feature × direction

        """);
    List<String> notes = new ArrayList<>();
    table(out, notes);
    out.append('\n');
    for (int i = 0; i < notes.size(); i++) {
      out.append(i + 1).append(". ").append(notes.get(i)).append('\n');
    }
    deviations(out);
    differences(out);
    return out.toString();
  }

  private void table(StringBuilder out, List<String> notes) {
    StringJoiner head = new StringJoiner(" | ", "| ", " |\n").add("feature").add("direction");
    StringJoiner rule = new StringJoiner("|", "|", "|\n").add("---").add("---");
    for (Release release : Release.all()) {
      head.add(release.toString());
      rule.add(":-:");
    }
    out.append(head).append(rule);
    for (Feature feature : Feature.values()) {
      for (Direction direction : feature.directions()) {
        StringJoiner line = new StringJoiner(" | ", "| ", " |\n");
        line.add(feature.title).add(direction.title);
        for (Release release : Release.all()) {
          String cell = cells.get(new Cell(feature, direction, release));
          line.add(PROVEN.equals(cell) ? PROVEN : note(String.valueOf(cell), notes));
        }
        out.append(line);
      }
    }
  }

  private static String note(String reason, List<String> notes) {
    if (!notes.contains(reason)) {
      notes.add(reason);
    }
    return Integer.toString(notes.indexOf(reason) + 1);
  }

  private void deviations(StringBuilder out) {
    out.append(
        """

        ## Bugs and gaps of LMCache, and what is done here instead

        Each was seen in LMCache 0.5.6 (unless said otherwise) by the test named. To reproduce one, send the calls to
        `tests/python/peer.py` (`tests/python/PROTOCOL.md`).
        """);
    for (Deviation deviation : Deviation.values()) {
      out.append("\n### ").append(deviation.title).append("\n\n");
      out.append("- LMCache: ").append(deviation.lmcache).append(".\n");
      out.append("- lmcache4j: ").append(deviation.here).append(".\n");
      out.append("- Test: `").append(tests.get(deviation)).append("`\n");
      out.append("- Reproduction: ``").append(deviation.reproduction).append("``\n");
    }
  }

  private static void differences(StringBuilder out) {
    out.append(
        """

        ## Differences in keys and headers that the differential test allows

        A generator gives both sides the same headers, keys and tokens, 100,000 a run. Both accept with equal results or
        both refuse, except for these. Smallest cases: `tests/src/test/resources/vectors/differential/`.

        | difference | LMCache | lmcache4j |
        |---|---|---|
        """);
    for (Difference difference : Difference.values()) {
      out.append("| ").append(difference.title()).append(" | ");
      out.append(difference.lmcache()).append(" | ").append(difference.here()).append(" |\n");
    }
  }
}
