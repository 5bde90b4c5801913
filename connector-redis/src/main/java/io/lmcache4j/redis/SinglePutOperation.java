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
    send(
        new WireCommand<>(
            SET,
            reply,
            new PayloadArgs(redisKey, payload, core.ttlMillis(), core.metrics()),
            this::replyEnded));
  }

  private void replyEnded(@Nullable Throwable failure) {
    release(payload);
    lost = failure;
    commandEnded();
  }

  @Override
  PutOutcome ended() {
    if (PutOperation.stored(reply)) {
      return new PutOutcome.Stored(key, payload.length());
    }
    Throwable failure = lost;
    return failed(
        failure == null
            ? Failures.refused(name, PutOperation.words(reply))
            : Failures.lost(name, failure));
  }

  @Override
  void dropped() {
    release(payload);
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
