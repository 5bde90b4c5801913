/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.internal.PlatformDependent;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Eight threads, payloads of 1 KiB to 32 MiB, and one fault after the other, at random. In the end
 * nothing is left of it but what the server keeps.
 *
 * <p>The seed decides on sizes, keys and faults; when a fault hits which operation, it does not.
 */
@ExtendWith(Report.Extension.class)
final class SoakTest {

  private static final int THREADS_OF_EACH_PATH = 4;
  private static final int KEYS = 24;

  /** A size, drawn for each key; small ones are as many as large ones. */
  private static final int SMALLEST_BITS = 10;

  private static final int LARGEST_BITS = 25;

  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final Duration UNAVAILABLE_AFTER = Duration.ofMillis(500);
  private static final Duration SLACK = Duration.ofSeconds(10);
  private static final Duration RECOVERY = Duration.ofSeconds(20);

  /** Need a payload of their own, or other credentials. */
  private static final Set<Fault> NOT_AT_RANDOM =
      EnumSet.of(Fault.KILLED_IN_PUT, Fault.KILLED_IN_GET, Fault.WRONG_PASS, Fault.NO_PERMISSION);

  /** What Netty's arenas may keep of what they once had. */
  private static final long ARENAS = 64L << 20;

  private int[] lengths = {};

  @Test
  void nothingIsLeftOfIt() throws Exception {
    long seed = Long.getLong("lmcache4j.soak.seed", System.nanoTime());
    int seconds = Integer.getInteger("lmcache4j.soak.seconds", 5);
    System.out.printf("[soak] -Dlmcache4j.soak.seed=%d, %d s%n", seed, seconds);
    Random random = new Random(seed);
    lengths =
        random
            .ints(KEYS, SMALLEST_BITS, LARGEST_BITS)
            .map(bits -> (1 << bits) + random.nextInt((1 << bits) + 1))
            .toArray();
    long directAtStart = directBytes();
    List<Caller> callers = List.of();
    try (FaultBed bed =
        new FaultBed(
            "--enable-debug-command", "yes",
            "--maxmemory", "0",
            "--rdbcompression", "no")) {
      callers =
          Caller.ofBothPaths(
              bed.url(),
              options -> options.timeout(TIMEOUT).unavailableAfter(UNAVAILABLE_AFTER),
              KEYS,
              key -> lengths[key]);
      soak(bed, callers, random, seconds);
    } finally {
      for (Caller caller : callers) {
        caller.close();
      }
    }
    Caller.soon(() -> directBytes() <= directAtStart + ARENAS);
    System.out.printf(
        "[soak] direct memory: %d MiB before, %d MiB after%n",
        directAtStart >> 20, directBytes() >> 20);
  }

  private static void soak(FaultBed bed, List<Caller> callers, Random random, int seconds)
      throws Exception {
    for (Caller caller : callers) {
      caller.load().start(THREADS_OF_EACH_PATH, random.nextLong());
    }
    for (Caller caller : callers) {
      caller.recovered(RECOVERY);
    }
    List<Fault> faults = EnumSet.complementOf(EnumSet.copyOf(NOT_AT_RANDOM)).stream().toList();
    long endsAt = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    int injected = 0;
    Duration slowest = Duration.ZERO;
    do {
      Fault fault = faults.get(random.nextInt(faults.size()));
      fault.begin(bed);
      TimeUnit.MILLISECONDS.sleep(random.nextInt(2000));
      fault.end(bed);
      callers.forEach(caller -> caller.tally().mark());
      for (Caller caller : callers) {
        Duration recovered = caller.recovered(RECOVERY);
        slowest = recovered.compareTo(slowest) > 0 ? recovered : slowest;
        assertThat(caller.tally().wrongBytes()).as(caller.tally().wrong()).isZero();
      }
      injected++;
      System.out.printf("[soak] %d: %s; recovered%n", injected, fault.title);
      TimeUnit.MILLISECONDS.sleep(random.nextInt(1000));
    } while (System.nanoTime() < endsAt);
    for (Caller caller : callers) {
      caller.quiet();
      Tally tally = caller.tally();
      System.out.printf(
          Locale.ROOT,
          "[soak] %s: %s; longest wait %d ms; %d wrong bytes%n",
          caller.name(),
          tally.outcomes(),
          tally.longest().toMillis(),
          tally.wrongBytes());
      assertThat(tally.wrongBytes()).as(tally.wrong()).isZero();
      assertThat(tally.count(Tally.Kind.GET, Load.CORRUPT)).isZero();
      assertThat(tally.longest()).isLessThan(TIMEOUT.plus(SLACK));
      Caller.soon(() -> bed.connections(caller.name()) == caller.connections());
    }
    System.out.printf(
        "[soak] %d faults; slowest recovery %d ms; nothing leased, nothing in flight, %d"
            + " connections as at the start%n",
        injected, slowest.toMillis(), callers.stream().mapToLong(Caller::connections).sum());
  }

  /** Of the JDK's accounting and of Netty's own, from which leases come. */
  private static long directBytes() {
    long ofNetty = Math.max(0, PlatformDependent.usedDirectMemory());
    return ofNetty
        + ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .filter(pool -> pool.getName().equals("direct"))
            .mapToLong(BufferPoolMXBean::getMemoryUsed)
            .sum();
  }
}
