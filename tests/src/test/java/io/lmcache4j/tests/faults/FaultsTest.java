/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each fault, under a mixed load on both paths: every call has an outcome by its deadline, no wrong
 * byte is handed out, nothing is lost, and success comes back by itself.
 */
@ExtendWith(Report.Extension.class)
final class FaultsTest {

  /** How far a busy machine may be behind a deadline. */
  private static final Duration SLACK = Duration.ofSeconds(5);

  /** Far above what is hoped for; what it took is in the report. */
  private static final Duration RECOVERY = Duration.ofSeconds(10);

  private static final Duration WARM_UP = Duration.ofSeconds(30);

  private static final int THREADS = 3;
  private static final int KEYS = 12;
  private static final int LARGE = 32 << 20;

  /** Beside the keys of the load. */
  private static final int LARGE_KEY = KEYS;

  private final Form form = Form.ofThisRun();

  private static int length(int key) {
    return switch (key % 4) {
      case 0 -> 1 << 10;
      case 1 -> (64 << 10) + 1;
      case 2 -> 1 << 20;
      default -> (4 << 20) + 3;
    };
  }

  @ParameterizedTest
  @EnumSource
  void everyCallEndsInTimeAndSuccessComesBack(Fault fault, Report report) throws Exception {
    List<Caller> callers = List.of();
    try (FaultBed bed = new FaultBed("--enable-debug-command", "yes")) {
      bed.order("ACL", "SETUSER", Fault.USER, "on", ">" + Fault.PASSWORD, "~*", "&*", "+@all");
      callers =
          Caller.ofBothPaths(
              fault.url(bed),
              options ->
                  options
                      .timeout(fault.timeout(form))
                      .unavailableAfter(fault.unavailableAfter(form)),
              KEYS,
              FaultsTest::length);
      report.ranOn(bed.version());
      List<Duration> recovered = run(fault, bed, callers);
      for (int i = 0; i < callers.size(); i++) {
        Caller caller = callers.get(i);
        Tally tally = caller.tally();
        report.add(fault, form, caller, recovered.get(i));
        assertThat(tally.wrongBytes()).as(tally.wrong()).isZero();
        assertThat(tally.count(Tally.Kind.GET, Load.CORRUPT)).isZero();
        assertThat(tally.longest()).isLessThan(fault.timeout(form).plus(SLACK));
        // None is forgotten, and none was made too many.
        Caller.soon(() -> bed.connections(caller.name()) == caller.connections());
      }
    } finally {
      for (Caller caller : callers) {
        caller.close();
      }
    }
  }

  /** How long each took to come back. */
  private List<Duration> run(Fault fault, FaultBed bed, List<Caller> callers) throws Exception {
    for (Caller caller : callers) {
      caller.load().start(THREADS, caller.hashCode());
    }
    for (Caller caller : callers) {
      caller.recovered(WARM_UP);
      if (fault == Fault.KILLED_IN_GET) {
        assertThat(putLarge(caller).join()).isInstanceOf(PutOutcome.Stored.class);
      }
    }
    callers.forEach(caller -> caller.tally().restart());
    fault.begin(bed);
    if (fault == Fault.KILLED_IN_PUT || fault == Fault.KILLED_IN_GET) {
      untilKilled(fault, bed, callers);
    }
    fault.hold(form);
    fault.end(bed);
    callers.forEach(caller -> caller.tally().mark());
    List<Duration> recovered = new ArrayList<>();
    for (Caller caller : callers) {
      recovered.add(caller.recovered(RECOVERY));
    }
    for (Caller caller : callers) {
      caller.quiet();
    }
    return recovered;
  }

  private static CompletableFuture<PutOutcome> putLarge(Caller caller) {
    ChunkBuffer lease = Objects.requireNonNull(caller.memory().tryLease(LARGE));
    Payload.fill(lease.nio(), LARGE_KEY, 0, 0);
    try (KvChunk chunk = new KvChunk(caller.load().key(LARGE_KEY), Load.opaque(LARGE), lease)) {
      return caller.connector().put(chunk).toCompletableFuture();
    }
  }

  private static CompletableFuture<GetOutcome> getLarge(Caller caller) {
    return caller.connector().get(caller.load().key(LARGE_KEY)).toCompletableFuture();
  }

  /** Large payloads, one on each path at a time, until the server is dead amid one of them. */
  private static void untilKilled(Fault fault, FaultBed bed, List<Caller> callers) {
    int lost = 0;
    while (bed.proxy().isTrapSet()) {
      if (fault == Fault.KILLED_IN_PUT) {
        for (PutOutcome outcome : all(callers.stream().map(FaultsTest::putLarge).toList())) {
          lost += outcome instanceof PutOutcome.Failed ? 1 : 0;
        }
      } else {
        for (GetOutcome outcome : all(callers.stream().map(FaultsTest::getLarge).toList())) {
          lost += outcome instanceof GetOutcome.Failed ? 1 : 0;
          if (outcome instanceof GetOutcome.Hit hit) {
            try (KvChunk chunk = hit.chunk()) {
              assertThat(Payload.wrongBytes(chunk.payload().nio(), LARGE_KEY)).isZero();
            }
          }
        }
      }
    }
    assertThat(lost).isPositive();
  }

  private static <T> List<T> all(List<CompletableFuture<T>> outcomes) {
    return outcomes.stream().map(CompletableFuture::join).toList();
  }
}
