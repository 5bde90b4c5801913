/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static io.lettuce.core.protocol.CommandType.SET;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.redis.wire.PayloadArgs;
import io.lmcache4j.redis.wire.WireCommand;
import org.jspecify.annotations.Nullable;

/** {@code SET <K> payload}. */
final class SinglePutOperation extends Operation<PutOutcome> {

  private final ChunkKey key;
  private final byte[] redisKey;
  private final ChunkBuffer payload;
  private final StatusOutput<byte[], byte[]> reply = new StatusOutput<>(ByteArrayCodec.INSTANCE);
  private volatile @Nullable WireCommand<?> command;
  private volatile @Nullable Throwable lost;

  /**
   * Takes over one reference to the payload, which it releases when the payload is no longer
   * needed.
   */
  SinglePutOperation(
      ConnectorCore core, ChunkKey key, String text, byte[] redisKey, ChunkBuffer payload) {
    super(core, "put " + text);
    this.key = key;
    this.redisKey = redisKey;
    this.payload = payload;
  }

  @Override
  void launch() {
    WireCommand<String> only =
        new WireCommand<>(
            SET,
            reply,
            new PayloadArgs(redisKey, payload, core.ttlMillis(), core.metrics()),
            this::replyEnded);
    command = only;
    send(only);
  }

  private void replyEnded(@Nullable Throwable failure) {
    payload.release();
    lost = failure;
    commandEnded();
  }

  @Override
  PutOutcome ended() {
    if (reply.hasError()) {
      return failed(Failures.refused(name, reply.getError()));
    }
    Throwable failure = lost;
    return failure == null
        ? new PutOutcome.Stored(key, payload.length())
        : failed(Failures.lost(name, failure));
  }

  @Override
  void dropped() {
    payload.release();
  }

  @Override
  void giveUp() {
    WireCommand<?> only = command;
    if (only != null) {
      only.giveUp();
    }
  }

  @Override
  PutOutcome failed(LmcacheException cause) {
    return new PutOutcome.Failed(key, cause);
  }

  @Override
  void dispose(PutOutcome undelivered) {
    // Holds nothing.
  }
}
