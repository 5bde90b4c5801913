/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.redis.OperationEvent.Kind;
import io.lmcache4j.redis.OperationEvent.Result;
import org.jspecify.annotations.Nullable;

/**
 * A put of any layout. It holds one reference to the payload until the socket needs it no longer.
 */
abstract class WriteOperation extends Operation<PutOutcome> {

  final ChunkKey key;
  final ChunkBuffer payload;
  final StatusOutput<byte[], byte[]> payloadReply = new StatusOutput<>(ByteArrayCodec.INSTANCE);

  /** Takes over one reference to the payload. */
  WriteOperation(
      ConnectorCore core, ChunkKey key, String text, ChunkBuffer payload, byte[]... redisKeys) {
    super(core, "put " + text, redisKeys);
    this.key = key;
    this.payload = payload;
  }

  /** Nothing but OK says so: a bulk error, for one, looks like a value to Lettuce. */
  static boolean stored(StatusOutput<byte[], byte[]> reply) {
    return !reply.hasError() && "OK".equals(reply.get());
  }

  static @Nullable String words(StatusOutput<byte[], byte[]> reply) {
    return reply.hasError() ? reply.getError() : reply.get();
  }

  @Override
  final void dropped() {
    release(payload);
  }

  @Override
  final PutOutcome failed(LmcacheException cause) {
    return new PutOutcome.Failed(key, cause);
  }

  @Override
  final void dispose(PutOutcome undelivered) {
    // Holds nothing.
  }

  @Override
  final Kind kind() {
    return Kind.PUT;
  }

  @Override
  final Result result(PutOutcome delivered) {
    return delivered instanceof PutOutcome.Failed failed
        ? Listening.resultOf(failed.cause())
        : Result.OK;
  }

  @Override
  final long bytes(PutOutcome delivered) {
    return delivered instanceof PutOutcome.Stored stored ? stored.payloadBytes() : 0;
  }
}
