/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A server that evicts by {@code allkeys-lru}, either half of a chunk at any time, under three
 * times what it can keep: a get is a hit with the right bytes, a miss or an orphan, and nothing
 * fails.
 */
@ExtendWith(Report.Extension.class)
final class EvictionTest {

  private static final int THREADS = 2;
  private static final int MAXMEMORY_MIB = 48;

  /** Of each path, so that both together have three times {@link #MAXMEMORY_MIB}. */
  private static final int KEYS = 88;

  private static int length(int key) {
    return switch (key % 4) {
      case 0 -> (64 << 10) + 1;
      case 1 -> 256 << 10;
      case 2 -> 1 << 20;
      default -> (2 << 20) + 3;
    };
  }

  @Test
  void everyGetIsRightOrClean(Report report) throws Exception {
    Duration duration = Form.ofThisRun().pick(Duration.ofSeconds(5), Duration.ofSeconds(30));
    try (FaultBed bed =
        new FaultBed("--maxmemory", MAXMEMORY_MIB + "mb", "--maxmemory-policy", "allkeys-lru")) {
      List<Caller> callers =
          Caller.ofBothPaths(bed.url(), options -> options, KEYS, EvictionTest::length);
      try {
        long workingSet =
            2L * IntStream.range(0, KEYS).map(EvictionTest::length).asLongStream().sum();
        assertThat(workingSet).isGreaterThan((3L * MAXMEMORY_MIB) << 20);
        for (Caller caller : callers) {
          caller.load().start(THREADS, caller.hashCode());
        }
        TimeUnit.NANOSECONDS.sleep(duration.toNanos());
        for (Caller caller : callers) {
          caller.quiet();
        }
        long evicted = number(bed.text("INFO", "stats"), "evicted_keys");
        assertThat(evicted).isPositive();
        for (Caller caller : callers) {
          Tally tally = caller.tally();
          report.note(
              Report.Topic.EVICTION,
              caller.name() + ", " + duration.toSeconds() + " s: " + tally.outcomes());
          assertThat(tally.wrongBytes()).as(tally.wrong()).isZero();
          assertThat(tally.count(Tally.Kind.PUT))
              .isEqualTo(tally.count(Tally.Kind.PUT, Load.STORED));
          assertThat(tally.count(Tally.Kind.GET))
              .isEqualTo(
                  tally.count(Tally.Kind.GET, Load.HIT)
                      + tally.count(Tally.Kind.GET, Load.MISS)
                      + tally.count(Tally.Kind.GET, Load.ORPHAN));
          assertThat(tally.count(Tally.Kind.GET, Load.HIT)).isPositive();
        }
        // Nothing is evicted any more, so that what is cleaned stays clean.
        bed.set("maxmemory", "0");
        long before = halves(bed, "metadata", "kv_bytes");
        for (Caller caller : callers) {
          for (int i = 0; i < KEYS; i++) {
            caller.load().get(i);
          }
        }
        assertThat(halves(bed, "metadata", "kv_bytes")).isZero();
        report.note(
            Report.Topic.EVICTION,
            String.format(
                "the server evicted %d keys; %d headers without a payload were left, and gone once each"
                    + " key had been asked for; %d payloads without a header were left for the server to"
                    + " evict",
                evicted, before, halves(bed, "kv_bytes", "metadata")));
      } finally {
        for (Caller caller : callers) {
          caller.close();
        }
      }
    }
  }

  /** How many keys with the one suffix have no other with the other. */
  private static long halves(FaultBed bed, String suffix, String other) {
    List<String> keys = bed.keys();
    return keys.stream()
        .filter(key -> key.endsWith(suffix))
        .map(key -> key.substring(0, key.length() - suffix.length()) + other)
        .filter(key -> !keys.contains(key))
        .count();
  }

  private static long number(String info, String field) {
    return info.lines()
        .filter(line -> line.startsWith(field + ":"))
        .mapToLong(line -> Long.parseLong(line.substring(field.length() + 1)))
        .findFirst()
        .orElseThrow();
  }
}
