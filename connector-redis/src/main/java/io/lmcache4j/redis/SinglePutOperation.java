/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static io.lettuce.core.protocol.CommandType.SET;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.redis.wire.PayloadArgs;
import io.lmcache4j.redis.wire.WireCommand;
import org.jspecify.annotations.Nullable;

/** {@code SET <K> payload}. */
final class SinglePutOperation extends WriteOperation {

  private final byte[] redisKey;
  private final long ttlMillis;
  private volatile @Nullable Throwable lost;

  /** Takes over one reference to the payload. */
  SinglePutOperation(
      ConnectorCore core,
      ChunkKey key,
      String text,
      byte[] redisKey,
      ChunkBuffer payload,
      long ttlMillis) {
    super(core, key, text, payload, redisKey);
    this.redisKey = redisKey;
    this.ttlMillis = ttlMillis;
  }

  @Override
  void launch() {
    send(
        new WireCommand<>(
            SET,
            payloadReply,
            new PayloadArgs(redisKey, payload, ttlMillis, core.metrics()),
            this::replyEnded));
  }

  private void replyEnded(@Nullable Throwable failure) {
    release(payload);
    lost = failure;
    commandEnded();
  }

  @Override
  PutOutcome ended() {
    if (stored(payloadReply)) {
      return new PutOutcome.Stored(key, payload.length());
    }
    Throwable failure = lost;
    return failed(
        failure == null
            ? Failures.refused(name, words(payloadReply))
            : Failures.lost(name, failure));
  }
}
