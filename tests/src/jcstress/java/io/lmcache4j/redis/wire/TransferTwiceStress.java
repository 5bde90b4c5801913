/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZZ_Result;

/**
 * Two that give up while a reply is being written, a timeout and a cancellation: whether the first
 * was in time, whether the second was, and whether the reply became the outcome all the same.
 */
@JCStressTest
@Outcome(id = "true, false, false", expect = ACCEPTABLE, desc = "The first gave up.")
@Outcome(id = "false, true, false", expect = ACCEPTABLE, desc = "The second gave up.")
@State
public class TransferTwiceStress {

  private final Transfer transfer = new Transfer();

  /** The reply has begun. */
  public TransferTwiceStress() {
    transfer.begin();
  }

  @Actor
  public void timeout(ZZZ_Result r) {
    r.r1 = transfer.revoke();
  }

  @Actor
  public void cancellation(ZZZ_Result r) {
    r.r2 = transfer.revoke();
  }

  @Arbiter
  public void reply(ZZZ_Result r) {
    r.r3 = transfer.finish();
  }
}
