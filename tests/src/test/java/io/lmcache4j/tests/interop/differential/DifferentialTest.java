/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.tests.interop.Interop;
import io.lmcache4j.tests.interop.InteropRun;
import io.lmcache4j.tests.interop.differential.Differential.Case;
import io.lmcache4j.tests.interop.differential.Differential.Finding;
import io.lmcache4j.tests.interop.differential.Verdict.Outcome;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * One generator drives Java and real LMCache: both accept with equal results or both refuse, except
 * for the listed {@link Difference}s.
 *
 * <pre>
 *   -Dlmcache4j.differential.seed=N     the run to repeat; printed by every run, drawn unless given
 *   -Dlmcache4j.differential.count=N    cases, 100,000 unless given
 *   -Dlmcache4j.differential.write=true writes the smallest case of each difference as well
 * </pre>
 *
 * <p>A failing case is made smaller and written to {@code
 * tests/src/test/resources/vectors/differential}, where {@link DifferentialVectorsTest} replays it.
 */
@Interop
class DifferentialTest {

  private static final int COUNT = 100_000;
  private static final int BATCH = 1_000;
  private static final int MAX_FAILURES = 5;
  private static final String PROPERTY = "lmcache4j.differential.";

  private final Map<String, Map<Outcome, Integer>> outcomes = new TreeMap<>();
  private final Map<Difference, Integer> counts = new EnumMap<>(Difference.class);
  private final Map<Difference, Finding> examples = new EnumMap<>(Difference.class);
  private final List<Finding> failures = new ArrayList<>();

  @Test
  void bothSidesAgreeButForTheListedDifferences(InteropRun run) {
    long seed = Long.getLong(PROPERTY + "seed", new SplittableRandom().nextLong(1L << 32));
    int count = Integer.getInteger(PROPERTY + "count", COUNT);
    System.out.printf("differential: -D%sseed=%d -D%scount=%d%n", PROPERTY, seed, PROPERTY, count);
    Differential differential = new Differential(run.peer());
    long start = System.nanoTime();
    for (int from = 0; from < count && failures.size() < MAX_FAILURES; from += BATCH) {
      List<Case> cases = new ArrayList<>(BATCH);
      for (int i = from; i < Math.min(count, from + BATCH); i++) {
        cases.add(Differential.generate(seed, i));
      }
      differential.judge(cases).forEach(this::note);
    }
    report((System.nanoTime() - start) / 1_000_000);

    String source = "LMCache 0.5.6, tests/python/peer.py, differential seed " + seed;
    if (Boolean.getBoolean(PROPERTY + "write")) {
      examples.forEach(
          (difference, finding) ->
              VectorFiles.write(
                  run.repository(), difference.fileName(), differential.minimise(finding), source));
    }
    Map<String, String> smallest = new LinkedHashMap<>();
    for (Finding failure : failures) {
      Finding small = differential.minimise(failure);
      String text = small.input().toString();
      String name = "failure-" + Integer.toHexString(text.hashCode());
      VectorFiles.write(run.repository(), name, small, source);
      smallest.put(name + " " + text, small.verdict().detail());
    }
    assertThat(smallest).as("seed %d; written to %s", seed, VectorFiles.FOLDER).isEmpty();
  }

  private void note(Finding finding) {
    Verdict verdict = finding.verdict();
    outcomes
        .computeIfAbsent(finding.input().kind(), kind -> new EnumMap<>(Outcome.class))
        .merge(verdict.outcome(), 1, Integer::sum);
    Difference difference = verdict.difference();
    if (difference != null) {
      counts.merge(difference, 1, Integer::sum);
      examples.putIfAbsent(difference, finding);
    }
    if (verdict.isFailure() && failures.size() < MAX_FAILURES) {
      failures.add(finding);
    }
  }

  private void report(long millis) {
    outcomes.forEach((kind, each) -> System.out.printf("differential: %-14s %s%n", kind, each));
    for (Difference difference : Difference.values()) {
      Integer count = counts.get(difference);
      System.out.printf(
          "differential: %-26s %s%n", difference, count == null ? "UNSEEN in this run" : count);
    }
    System.out.printf("differential: %d ms%n", millis);
  }
}
