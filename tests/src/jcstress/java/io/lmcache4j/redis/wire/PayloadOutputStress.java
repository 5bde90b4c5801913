/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.LeaseReleasedException;
import java.nio.ByteBuffer;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZL_Result;

/**
 * A payload that arrives against a caller who gives up: whether there is a lease to take at the
 * end, and what became of the one that was taken from the memory.
 */
@JCStressTest
@Outcome(id = "true, held", expect = ACCEPTABLE, desc = "The payload arrived first.")
@Outcome(
    id = "false, none",
    expect = ACCEPTABLE,
    desc = "The caller was first: nothing was leased.")
@Outcome(
    id = "false, released",
    expect = ACCEPTABLE_INTERESTING,
    desc = "The caller gave up in the middle: the writer gave the lease back.")
@State
public class PayloadOutputStress {

  private static final DirectMemory MEMORY = DirectMemory.create(64 << 20);
  private static final WireMetrics METRICS = new WireMetrics();

  private final PayloadOutput output = new PayloadOutput(this::lease, METRICS);
  private ChunkBuffer leased;

  private ChunkBuffer lease(long length) {
    leased = MEMORY.tryLease((int) length);
    return leased;
  }

  @Actor
  public void payload() {
    output.received(ByteBuffer.wrap(new byte[] {1, 2, 3}));
  }

  @Actor
  public void caller() {
    output.revoke();
  }

  @Arbiter
  public void end(ZL_Result r) {
    ChunkBuffer taken = output.takeLease();
    r.r1 = taken != null;
    r.r2 = leased == null ? "none" : released() ? "released" : "held";
    if (taken != null) {
      taken.release();
    }
  }

  private boolean released() {
    try {
      leased.address();
      return false;
    } catch (LeaseReleasedException e) {
      return true;
    }
  }
}
