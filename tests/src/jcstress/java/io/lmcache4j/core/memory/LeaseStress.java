/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.memory;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;

/**
 * A holder that goes against one that is about to take a reference of its own: what the second
 * could do, whether the first was the last, and what is left of the lease.
 */
@JCStressTest
@Outcome(id = "late, true, gone", expect = ACCEPTABLE, desc = "Gone before it could be taken.")
@Outcome(id = "last, false, gone", expect = ACCEPTABLE, desc = "Taken, and given back last.")
@Outcome(id = "early, true, gone", expect = ACCEPTABLE, desc = "Taken, and given back first.")
@State
public class LeaseStress {

  private static final DirectMemory MEMORY = DirectMemory.create(64 << 20);

  private final ChunkBuffer lease = MEMORY.tryLease(1);

  @Actor
  public void writer(LLL_Result r) {
    try {
      lease.retain();
    } catch (LeaseReleasedException e) {
      r.r1 = "late";
      return;
    }
    r.r1 = lease.release() ? "last" : "early";
  }

  @Actor
  public void holder(LLL_Result r) {
    r.r2 = lease.release();
  }

  @Arbiter
  public void end(LLL_Result r) {
    try {
      lease.retain();
      r.r3 = "there";
    } catch (LeaseReleasedException e) {
      r.r3 = "gone";
    }
  }
}
