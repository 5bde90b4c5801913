/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.key.ChunkKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** One node of a cluster breaks: its keys fail, and soon; the others' do not notice. */
@ExtendWith(Report.Extension.class)
final class ClusterFaultsTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(2);
  private static final Duration SLACK = Duration.ofSeconds(5);
  private static final Duration RECOVERY = Duration.ofSeconds(20);

  /** So long that the cluster does not find out itself. */
  private static final Duration SLOW_CLUSTER = Duration.ofMinutes(5);

  private static final Duration QUICK_CLUSTER = Duration.ofSeconds(1);

  private static final int KEYS = 8;
  private static final int LENGTH = 256 << 10;

  /** Those who use the keys of one node on one path, and those who use all other keys. */
  private static final class Sides {

    final List<Caller> touched = new ArrayList<>();
    final List<Caller> spared = new ArrayList<>();

    List<Caller> all() {
      List<Caller> all = new ArrayList<>(touched);
      all.addAll(spared);
      return all;
    }
  }

  /** At least one half of a touched chunk is the node's; of a spared one, neither is. */
  private static Sides sides(ClusterBed bed, int node) {
    Sides sides = new Sides();
    sides.touched.addAll(callers(bed, key -> isTouched(key, node)));
    sides.spared.addAll(callers(bed, key -> !isTouched(key, node)));
    return sides;
  }

  private static boolean isTouched(ChunkKey key, int node) {
    return ClusterBed.masterOf(key + "metadata") == node
        || ClusterBed.masterOf(key + "kv_bytes") == node;
  }

  private static List<Caller> callers(ClusterBed bed, Predicate<ChunkKey> keys) {
    List<Caller> callers =
        Caller.ofBothPaths(
            bed.url(),
            options -> options.timeout(TIMEOUT).unavailableAfter(Duration.ofMillis(500)),
            KEYS,
            key -> LENGTH);
    for (Caller caller : callers) {
      caller.load().onlyKeys(keys);
      caller.load().start(2, 1);
    }
    return callers;
  }

  @Test
  void aFrozenMasterConcernsItsOwnKeysAlone(Report report) throws Exception {
    Duration held = Form.ofThisRun().pick(Duration.ofSeconds(3), Duration.ofSeconds(12));
    Sides sides = new Sides();
    try (ClusterBed bed = new ClusterBed(SLOW_CLUSTER)) {
      sides = sides(bed, 1);
      restart(sides);
      bed.signal(1, "-STOP");
      TimeUnit.NANOSECONDS.sleep(held.toNanos());
      for (Caller caller : sides.spared) {
        note(report, Report.Topic.CLUSTER_FROZEN, "keys of other nodes", caller, null);
      }
      bed.signal(1, "-CONT");
      sides.touched.forEach(caller -> caller.tally().mark());
      for (Caller caller : sides.touched) {
        Duration recovered = caller.recovered(RECOVERY);
        assertThat(caller.tally().count(Tally.Kind.GET, "not sent")).isPositive();
        assertThat(caller.tally().longest()).isLessThan(TIMEOUT.plus(SLACK));
        note(report, Report.Topic.CLUSTER_FROZEN, "keys of the frozen node", caller, recovered);
      }
      nothingIsLeft(sides);
      for (Caller caller : sides.spared) {
        succeeds(caller.tally());
      }
    } finally {
      close(sides);
    }
  }

  @Test
  void aReplicaTakesTheKilledMastersPlace(Report report) throws Exception {
    Sides sides = new Sides();
    try (ClusterBed bed = new ClusterBed(QUICK_CLUSTER)) {
      sides = sides(bed, 0);
      restart(sides);
      bed.signal(0, "-KILL");
      sides.touched.forEach(caller -> caller.tally().mark());
      for (Caller caller : sides.touched) {
        Duration recovered = caller.recovered(RECOVERY);
        assertThat(caller.tally().longest()).isLessThan(TIMEOUT.plus(SLACK));
        note(report, Report.Topic.CLUSTER_FAILOVER, "keys of the killed node", caller, recovered);
      }
      for (Caller caller : sides.spared) {
        note(report, Report.Topic.CLUSTER_FAILOVER, "keys of other nodes", caller, null);
      }
      nothingIsLeft(sides);
      for (Caller caller : sides.spared) {
        succeeds(caller.tally());
      }
    } finally {
      close(sides);
    }
  }

  private static void restart(Sides sides) {
    for (Caller caller : sides.all()) {
      caller.recovered(RECOVERY);
      caller.tally().restart();
    }
  }

  private static void succeeds(Tally tally) {
    assertThat(tally.count(Tally.Kind.PUT)).isPositive();
    assertThat(tally.count(Tally.Kind.PUT)).isEqualTo(tally.count(Tally.Kind.PUT, Load.STORED));
    assertThat(tally.count(Tally.Kind.GET, Load.HIT)).isPositive();
    assertThat(tally.count(Tally.Kind.GET))
        .isEqualTo(tally.count(Tally.Kind.GET, Load.HIT) + tally.count(Tally.Kind.GET, Load.MISS));
  }

  private static void note(
      Report report, Report.Topic topic, String keys, Caller caller, @Nullable Duration recovered) {
    Tally tally = caller.tally();
    report.note(
        topic,
        String.format(
            "%s, %s: %s; longest wait %d ms%s",
            keys,
            caller.name(),
            tally.outcomes(),
            tally.longest().toMillis(),
            recovered == null ? "" : "; success again after " + recovered.toMillis() + " ms"));
  }

  private static void nothingIsLeft(Sides sides) {
    for (Caller caller : sides.all()) {
      caller.quiet();
      assertThat(caller.tally().wrongBytes()).as(caller.tally().wrong()).isZero();
      assertThat(caller.tally().count(Tally.Kind.GET, Load.CORRUPT)).isZero();
    }
  }

  private static void close(Sides sides) {
    for (Caller caller : sides.all()) {
      caller.close();
    }
  }
}
