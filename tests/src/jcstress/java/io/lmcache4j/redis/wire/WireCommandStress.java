/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZI_Result;

/**
 * Sending and answering against giving up: whether the command was sent, and how often it ended.
 */
@JCStressTest
@Outcome(id = "true, 1", expect = ACCEPTABLE, desc = "Sent, and ended once.")
@Outcome(id = "false, 1", expect = ACCEPTABLE, desc = "Not sent, and ended once.")
@State
public class WireCommandStress {

  private final AtomicInteger ends = new AtomicInteger();
  private final WireCommand<String> command =
      new WireCommand<>(
          CommandType.PING,
          new StatusOutput<>(ByteArrayCodec.INSTANCE),
          new CommandArgs<>(ByteArrayCodec.INSTANCE),
          e -> ends.incrementAndGet());

  @Actor
  public void eventLoop(ZI_Result r) {
    r.r1 = command.beginSend();
    if (r.r1) {
      command.complete();
    }
  }

  @Actor
  public void caller() {
    command.giveUp();
  }

  @Arbiter
  public void end(ZI_Result r) {
    r.r2 = ends.get();
  }
}
