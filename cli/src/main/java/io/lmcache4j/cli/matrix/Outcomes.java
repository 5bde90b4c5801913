/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.SyncConnector;
import io.lmcache4j.redis.reshard.ReshardOutcome;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Here every chunk has to be there: what is not a success ends the run. */
final class Outcomes {

  private Outcomes() {}

  static KvChunk hit(GetOutcome outcome) {
    if (outcome instanceof GetOutcome.Hit hit) {
      return hit.chunk();
    }
    if (outcome instanceof GetOutcome.Failed failed) {
      throw failed.cause();
    }
    throw new MatrixException("a chunk that was stored was not got: " + outcome);
  }

  /** Gives back whatever was got. */
  static void close(List<GetOutcome> outcomes) {
    for (GetOutcome outcome : outcomes) {
      if (outcome instanceof GetOutcome.Hit hit) {
        hit.chunk().close();
      }
    }
  }

  /** Returns the payload's bytes. */
  static long stored(PutOutcome outcome) {
    if (outcome instanceof PutOutcome.Failed failed) {
      throw failed.cause();
    }
    return ((PutOutcome.Stored) outcome).payloadBytes();
  }

  static ReshardOutcome.Written written(ReshardOutcome outcome) {
    if (outcome instanceof ReshardOutcome.Written written) {
      return written;
    }
    if (outcome instanceof ReshardOutcome.Failed failed) {
      throw failed.cause();
    }
    throw new MatrixException("a chunk that was stored was not resharded: " + outcome);
  }

  /** Waits for all. */
  static <T> List<T> join(List<? extends CompletionStage<T>> stages) {
    return stages.stream().<T>map(SyncConnector::await).toList();
  }
}
