/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZZ_Result;

/**
 * A reply against two that give up, a timeout and a cancellation: one side wins and no two do. The
 * results: the reply became the outcome, the first was in time, the second was.
 */
@JCStressTest
@Outcome(id = "true, false, false", expect = ACCEPTABLE, desc = "The reply was first.")
@Outcome(id = "false, true, false", expect = ACCEPTABLE, desc = "The first gave up.")
@Outcome(id = "false, false, true", expect = ACCEPTABLE, desc = "The second gave up.")
@State
public class TransferTwiceStress {

  private final Transfer transfer = new Transfer();

  @Actor
  public void reply(ZZZ_Result r) {
    r.r1 = transfer.begin() && transfer.finish();
  }

  @Actor
  public void timeout(ZZZ_Result r) {
    r.r2 = transfer.revoke();
  }

  @Actor
  public void cancellation(ZZZ_Result r) {
    r.r3 = transfer.revoke();
  }
}
