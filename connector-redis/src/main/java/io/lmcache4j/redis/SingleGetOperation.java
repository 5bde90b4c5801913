/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static io.lettuce.core.protocol.CommandType.GET;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.CommandArgs;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.redis.wire.PayloadOutput;
import io.lmcache4j.redis.wire.WireCommand;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET <K>}: what the bytes mean is known from the layout, how many there are from the reply.
 */
final class SingleGetOperation extends Operation<GetOutcome> {

  private final SingleKeyLayout layout;
  private final ChunkKey key;
  private final byte[] redisKey;
  private final HostMemory memory;
  private final PayloadOutput reply;

  // Written on the event loop; read when the command has ended.
  private @Nullable String corrupt;
  private long noMemory = -1;
  private volatile @Nullable Throwable lost;

  SingleGetOperation(
      ConnectorCore core,
      SingleKeyLayout layout,
      ChunkKey key,
      String text,
      byte[] redisKey,
      HostMemory memory) {
    super(core, "get " + text);
    this.layout = layout;
    this.key = key;
    this.redisKey = redisKey;
    this.memory = memory;
    this.reply = new PayloadOutput(this::accept, core.metrics());
  }

  @Override
  void launch() {
    send(
        new WireCommand<>(
            GET,
            reply,
            new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(redisKey),
            this::replyEnded));
  }

  private @Nullable ChunkBuffer accept(long length) {
    resize(length);
    corrupt = layout.disagreement(length).orElse(null);
    if (corrupt != null) {
      return null;
    }
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

  private void replyEnded(@Nullable Throwable failure) {
    if (failure != null) {
      lost = failure;
    }
    commandEnded();
  }

  @Override
  GetOutcome ended() {
    ChunkBuffer lease = reply.takeLease();
    Throwable failure = lost;
    if (failure == null && !reply.hasError() && lease != null) {
      return new GetOutcome.Hit(key, new KvChunk(key, layout.describe(lease.length()), lease));
    }
    if (lease != null) {
      lease.release();
    }
    if (failure != null) {
      return failed(Failures.lost(name, failure));
    }
    if (reply.hasError()) {
      return failed(Failures.refused(name, reply.getError()));
    }
    if (corrupt != null) {
      return new GetOutcome.Corrupt(key, corrupt);
    }
    if (noMemory >= 0) {
      return new GetOutcome.NoMemory(key, noMemory);
    }
    // Not absent and no lease: drained, or never asked for, because the caller gave up, who has an
    // outcome already.
    return reply.isAbsent()
        ? new GetOutcome.Miss(key)
        : failed(new RequestTimeoutException(name, core.options().timeout()));
  }

  @Override
  void dropped() {
    // Nothing is held before the payload is announced.
  }

  @Override
  void revoke() {
    reply.revoke();
  }

  @Override
  GetOutcome failed(LmcacheException cause) {
    return new GetOutcome.Failed(key, cause);
  }

  @Override
  void dispose(GetOutcome undelivered) {
    if (undelivered instanceof GetOutcome.Hit hit) {
      hit.chunk().close();
    }
  }
}
