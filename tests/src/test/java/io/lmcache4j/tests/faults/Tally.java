/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import java.time.Duration;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What callers saw: outcomes by kind, the longest wait for one, and wrong bytes. */
final class Tally {

  /** Two that are counted apart. */
  enum Kind {
    PUT,
    GET
  }

  private final Map<Kind, Map<String, Integer>> counts = new TreeMap<>();
  private final Map<Kind, Duration> recovered = new TreeMap<>();
  private long since = System.nanoTime();
  private long longestNanos;
  private long wrongBytes;
  private @Nullable String wrong;

  /** Starts counting anew, but for wrong bytes. */
  synchronized void restart() {
    counts.clear();
    longestNanos = 0;
    mark();
  }

  /** Success is from now on looked for among what starts later. */
  synchronized void mark() {
    recovered.clear();
    since = System.nanoTime();
  }

  /**
   * Notes an outcome.
   *
   * @param startedAt of {@link System#nanoTime}
   */
  synchronized void add(Kind kind, String outcome, long startedAt, boolean success) {
    long now = System.nanoTime();
    counts.computeIfAbsent(kind, k -> new TreeMap<>()).merge(outcome, 1, Integer::sum);
    longestNanos = Math.max(longestNanos, now - startedAt);
    if (success && startedAt >= since) {
      recovered.putIfAbsent(kind, Duration.ofNanos(now - since));
    }
  }

  /** Notes bytes that nobody should have been given. */
  synchronized void wrong(int bytes, String where) {
    wrongBytes += bytes;
    wrong = where;
  }

  synchronized int count(Kind kind, String outcome) {
    return counts.getOrDefault(kind, Map.of()).getOrDefault(outcome, 0);
  }

  synchronized int count(Kind kind) {
    return counts.getOrDefault(kind, Map.of()).values().stream().mapToInt(n -> n).sum();
  }

  /** The time from the mark to the first success of each kind, once both have had one. */
  synchronized @Nullable Duration recovered() {
    return recovered.size() < Kind.values().length
        ? null
        : recovered.values().stream().max(Duration::compareTo).orElseThrow();
  }

  synchronized Duration longest() {
    return Duration.ofNanos(longestNanos);
  }

  synchronized long wrongBytes() {
    return wrongBytes;
  }

  /** Where the last wrong byte was, for an error's message. */
  synchronized String wrong() {
    return String.valueOf(wrong);
  }

  /** All of it in words. */
  synchronized String outcomes() {
    StringJoiner kinds = new StringJoiner("; ");
    counts.forEach(
        (kind, outcomes) -> {
          StringJoiner words = new StringJoiner(", ", kind == Kind.PUT ? "puts: " : "gets: ", "");
          outcomes.forEach((outcome, n) -> words.add(n + " " + outcome));
          kinds.add(words.toString());
        });
    return kinds.toString();
  }
}
