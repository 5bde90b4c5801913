/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Two that write one key at a time, each on a path of its own, and readers on both. Header and
 * payload are two keys and may be of two writers; what is handed out is all of one.
 */
@ExtendWith(Report.Extension.class)
final class TwoWritersTest {

  private static final CacheEngineKey KEY = CacheEngineKey.of("raced", 1, 0, 0, DType.BFLOAT16);
  private static final int INDEX = 0;

  private final AtomicInteger hits = new AtomicInteger();
  private final AtomicInteger corrupt = new AtomicInteger();

  private volatile long endsAt;

  @ParameterizedTest
  @CsvSource({"1048576, 262151", "1048576, 1048576"})
  void readersSeeOneOrTheOther(int length0, int length1, Report report) throws Exception {
    int[] lengths = {length0, length1};
    Duration duration = Form.ofThisRun().pick(Duration.ofSeconds(2), Duration.ofSeconds(10));
    ExecutorService threads = Executors.newCachedThreadPool();
    List<Caller> callers = List.of();
    try (FaultBed bed = new FaultBed()) {
      callers = Caller.ofBothPaths(bed.url(), options -> options, 1, key -> 0);
      put(callers.get(0), 0, lengths, 0);
      endsAt = System.nanoTime() + duration.toNanos();
      List<Callable<Integer>> tasks = new ArrayList<>();
      for (int i = 0; i < callers.size(); i++) {
        Caller caller = callers.get(i);
        int writer = i;
        tasks.add(() -> write(caller, writer, lengths));
        tasks.add(() -> read(caller, lengths));
      }
      for (Future<Integer> task : threads.invokeAll(tasks)) {
        assertThat(task.get()).isPositive();
      }
      report.note(
          Report.Topic.TWO_WRITERS,
          String.format(
              "%d and %d bytes: %d gets with all of one writer's bytes, %d refused as corrupt",
              length0, length1, hits.get(), corrupt.get()));
      assertThat(hits).hasPositiveValue();
      if (length0 == length1) {
        assertThat(corrupt).hasValue(0);
      }
      // Whatever the race has left, the next put puts right.
      put(callers.get(1), 1, lengths, 0);
      corrupt.set(0);
      get(callers.get(0), lengths);
      assertThat(corrupt).hasValue(0);
    } finally {
      threads.shutdown();
      for (Caller caller : callers) {
        caller.quiet();
        caller.close();
      }
    }
  }

  private int write(Caller caller, int writer, int[] lengths) {
    int puts = 0;
    while (System.nanoTime() < endsAt) {
      put(caller, writer, lengths, ++puts);
    }
    return puts;
  }

  private int read(Caller caller, int[] lengths) {
    int gets = 0;
    while (System.nanoTime() < endsAt) {
      get(caller, lengths);
      gets++;
    }
    return gets;
  }

  private static void put(Caller caller, int writer, int[] lengths, int serial) {
    int length = lengths[writer];
    ChunkBuffer lease = Objects.requireNonNull(caller.memory().tryLease(length));
    Payload.fill(lease.nio(), INDEX, writer, serial);
    try (KvChunk chunk = new KvChunk(KEY, Load.opaque(length), lease)) {
      assertThat(caller.connector().sync().put(chunk))
          .isEqualTo(new PutOutcome.Stored(KEY, length));
    }
  }

  private void get(Caller caller, int[] lengths) {
    GetOutcome outcome = caller.connector().sync().get(KEY);
    if (outcome instanceof GetOutcome.Corrupt) {
      corrupt.incrementAndGet();
      return;
    }
    assertThat(outcome).isInstanceOf(GetOutcome.Hit.class);
    try (KvChunk chunk = ((GetOutcome.Hit) outcome).chunk()) {
      assertThat(Payload.wrongBytes(chunk.payload().nio(), INDEX)).isZero();
      int writer = Payload.writer(chunk.payload().nio());
      assertThat(chunk.payload().length()).isEqualTo(lengths[writer]);
      assertThat(chunk.metadata().length()).isEqualTo(lengths[writer]);
      hits.incrementAndGet();
    }
  }
}
