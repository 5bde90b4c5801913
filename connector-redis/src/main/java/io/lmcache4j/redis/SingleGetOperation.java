/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static io.lettuce.core.protocol.CommandType.GET;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.CommandArgs;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.redis.wire.WireCommand;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET <K>}: what the bytes mean is known from the layout, how many there are from the reply.
 */
final class SingleGetOperation extends ReadOperation {

  private final SingleKeyLayout layout;
  private final byte[] redisKey;

  SingleGetOperation(
      ConnectorCore core,
      SingleKeyLayout layout,
      ChunkKey key,
      String text,
      byte[] redisKey,
      HostMemory memory) {
    super(core, key, text, memory, redisKey);
    this.layout = layout;
    this.redisKey = redisKey;
  }

  @Override
  void launch() {
    send(
        new WireCommand<>(
            GET,
            payloadReply,
            new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(redisKey),
            this::replyEnded));
  }

  @Override
  @Nullable ChunkBuffer accept(long length) {
    resize(length);
    corrupt = layout.disagreement(length).orElse(null);
    if (corrupt != null) {
      return null;
    }
    return lease(length);
  }

  @Override
  GetOutcome ended() {
    ChunkBuffer lease = payloadReply.takeLease();
    Throwable failure = lost;
    if (failure == null && !payloadReply.hasError() && lease != null) {
      return new GetOutcome.Hit(key, new KvChunk(key, layout.describe(lease.length()), lease));
    }
    if (lease != null) {
      lease.release();
    }
    if (failure != null) {
      return failed(Failures.lost(name, failure));
    }
    if (payloadReply.hasError()) {
      return failed(Failures.refused(name, payloadReply.getError()));
    }
    if (corrupt != null) {
      return new GetOutcome.Corrupt(key, corrupt);
    }
    if (noMemory >= 0) {
      return new GetOutcome.NoMemory(key, noMemory);
    }
    // Not absent and no lease: drained, or never asked for, because the caller gave up, who has an
    // outcome already.
    return payloadReply.isAbsent()
        ? new GetOutcome.Miss(key)
        : failed(new RequestTimeoutException(name, core.options().timeout()));
  }
}
