/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLLL_Result;

/**
 * Room that becomes free against the withdrawal of who waits for it, with another one behind:
 * whether the withdrawal was in time, how often the first and the second were granted, and the
 * bytes in flight.
 */
@JCStressTest
@Outcome(id = "true, 0, 1, 1", expect = ACCEPTABLE, desc = "Withdrawn: the second has the room.")
@Outcome(id = "false, 1, 0, 1", expect = ACCEPTABLE, desc = "Granted: the second still waits.")
@State
public class ByteBudgetStress {

  private final ByteBudget budget = new ByteBudget(1);
  private final AtomicInteger first = new AtomicInteger();
  private final AtomicInteger second = new AtomicInteger();
  private final ByteBudget.Request waiting;

  /** The room is taken, and two wait for it. */
  public ByteBudgetStress() {
    budget.acquire(1, () -> {});
    waiting = budget.acquire(1, first::incrementAndGet);
    budget.acquire(1, second::incrementAndGet);
  }

  @Actor
  public void release() {
    budget.release(1);
  }

  @Actor
  public void withdraw(LLLL_Result r) {
    r.r1 = budget.withdraw(waiting);
  }

  @Arbiter
  public void end(LLLL_Result r) {
    r.r2 = first.get();
    r.r3 = second.get();
    r.r4 = budget.inFlightBytes();
  }
}
