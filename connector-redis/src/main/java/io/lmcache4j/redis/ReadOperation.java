/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.redis.OperationEvent.Kind;
import io.lmcache4j.redis.OperationEvent.Result;
import io.lmcache4j.redis.wire.PayloadOutput;
import org.jspecify.annotations.Nullable;

/**
 * A get of any layout: the payload lands in leased memory once its length is known and believed, or
 * is drained, so that the connection stays in step.
 */
abstract class ReadOperation extends Operation<GetOutcome> {

  final ChunkKey key;
  final PayloadOutput payloadReply;
  private final HostMemory memory;

  // Written on the event loop; read when the last command has ended.
  @Nullable String corrupt;
  long noMemory = -1;
  volatile @Nullable Throwable lost;

  ReadOperation(
      ConnectorCore core, ChunkKey key, String text, HostMemory memory, byte[]... redisKeys) {
    super(core, "get " + text, redisKeys);
    this.key = key;
    this.memory = memory;
    this.payloadReply = new PayloadOutput(this::accept, core.metrics());
  }

  /** The payload is announced; see {@link io.lmcache4j.redis.wire.PayloadSink}. */
  abstract @Nullable ChunkBuffer accept(long length);

  /** Leases room for a payload that is believed, or notes why there is none. */
  final @Nullable ChunkBuffer lease(long length) {
    core.observed(length);
    try {
      ChunkBuffer lease = memory.tryLease((int) length);
      if (lease == null) {
        noMemory = length;
      }
      return lease;
    } catch (RuntimeException e) {
      // A memory that was closed, or somebody's own that fails: this get fails, the connection goes
      // on.
      lost = e;
      return null;
    }
  }

  /** A command has ended, without a reply if there was a failure. */
  final void replyEnded(@Nullable Throwable failure) {
    if (failure != null) {
      lost = failure;
    }
    commandEnded();
  }

  @Override
  final void dropped() {
    // Nothing is held before the payload is announced.
  }

  @Override
  final void revoke() {
    payloadReply.revoke();
  }

  @Override
  final GetOutcome failed(LmcacheException cause) {
    return new GetOutcome.Failed(key, cause);
  }

  @Override
  final void dispose(GetOutcome undelivered) {
    discard(undelivered);
  }

  @Override
  final Kind kind() {
    return Kind.GET;
  }

  @Override
  final Result result(GetOutcome delivered) {
    if (delivered instanceof GetOutcome.Failed failed) {
      return Listening.resultOf(failed.cause());
    }
    if (delivered instanceof GetOutcome.Hit) {
      return Result.OK;
    }
    if (delivered instanceof GetOutcome.Miss) {
      return Result.MISS;
    }
    if (delivered instanceof GetOutcome.Orphan) {
      return Result.ORPHAN;
    }
    return delivered instanceof GetOutcome.Corrupt ? Result.CORRUPT : Result.NO_MEMORY;
  }

  /** From the metadata: the receiver may have closed the payload by now. */
  @Override
  final long bytes(GetOutcome delivered) {
    return delivered instanceof GetOutcome.Hit hit ? hit.chunk().metadata().length() : 0;
  }

  /** Releases what an outcome holds that nobody will receive. */
  static void discard(GetOutcome undelivered) {
    if (undelivered instanceof GetOutcome.Hit hit) {
      hit.chunk().close();
    }
  }
}
