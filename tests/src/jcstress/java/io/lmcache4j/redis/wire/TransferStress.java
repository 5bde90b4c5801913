/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZZ_Result;

/**
 * A reply against a caller who gives up: whether the reply may be written, whether it becomes the
 * outcome, and whether the caller was in time. Exactly one side has to give the buffer back.
 */
@JCStressTest
@Outcome(id = "true, true, false", expect = ACCEPTABLE, desc = "The reply was first.")
@Outcome(id = "false, false, true", expect = ACCEPTABLE, desc = "The caller was first.")
@Outcome(
    id = "true, false, true",
    expect = ACCEPTABLE_INTERESTING,
    desc = "The caller gave up in the middle: the writer gives the buffer back.")
@State
public class TransferStress {

  private final Transfer transfer = new Transfer();

  @Actor
  public void reply(ZZZ_Result r) {
    r.r1 = transfer.begin();
    r.r2 = transfer.finish();
  }

  @Actor
  public void caller(ZZZ_Result r) {
    r.r3 = transfer.revoke();
  }
}
