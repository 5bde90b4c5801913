/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static io.lettuce.core.protocol.CommandType.DEL;
import static io.lettuce.core.protocol.CommandType.SET;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.redis.wire.PayloadArgs;
import io.lmcache4j.redis.wire.WireCommand;
import org.jspecify.annotations.Nullable;

/**
 * {@code SET <K>kv_bytes payload}, {@code SET <K>metadata header}, pipelined on one connection so
 * that their order holds with one trip. In a cluster, where they go to different nodes, the second
 * waits for the first.
 *
 * <p>LMCache awaits the first before it sends the second, so its metadata never promises a payload
 * that was refused. Here both are under way at once; if only the metadata turns out stored, because
 * the payload was refused or was lost with a connection that has come back since, it is deleted
 * again before the failure is told.
 */
final class PutOperation extends WriteOperation {

  /**
   * How much longer the payload lives than its metadata, when there is a time to live: LMCache asks
   * for the payload up to {@code blocking_timeout_secs} (10 s) after it has seen the metadata.
   */
  private static final long PAYLOAD_TTL_MARGIN_MILLIS = 10_000;

  private final PairLayout.Keys keys;
  private final byte[] header;
  private final long ttlMillis;

  private final StatusOutput<byte[], byte[]> headerReply =
      new StatusOutput<>(ByteArrayCodec.INSTANCE);
  private volatile @Nullable Throwable lost;
  private volatile @Nullable LmcacheException undone;

  /** Set until it is sent. */
  private volatile @Nullable WireCommand<?> headerCommand;

  /** Takes over one reference to the payload. */
  PutOperation(
      ConnectorCore core,
      ChunkKey key,
      PairLayout.Keys keys,
      byte[] header,
      ChunkBuffer payload,
      long ttlMillis) {
    super(core, key, keys.text(), payload, keys.metadata(), keys.payload());
    this.keys = keys;
    this.header = header;
    this.ttlMillis = ttlMillis;
  }

  @Override
  void launch() {
    long payloadTtl = ttlMillis == 0 ? 0 : ttlMillis + PAYLOAD_TTL_MARGIN_MILLIS;
    WireCommand<String> first =
        new WireCommand<>(
            SET,
            payloadReply,
            new PayloadArgs(keys.payload(), payload, payloadTtl, core.metrics()),
            this::payloadEnded);
    CommandArgs<byte[], byte[]> headerArgs =
        new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(keys.metadata()).addValue(header);
    if (ttlMillis > 0) {
      headerArgs.add("PX").add(ttlMillis);
    }
    WireCommand<String> second = new WireCommand<>(SET, headerReply, headerArgs, this::replyEnded);
    if (!core.keepsOrder()) {
      headerCommand = second;
    }
    send(first);
    // If it was not accepted, the connection might be back by now and take the second alone.
    if (core.keepsOrder() && !first.isCompletedExceptionally()) {
      send(second);
    }
  }

  private void payloadEnded(@Nullable Throwable failure) {
    release(payload);
    replyEnded(failure);
  }

  private void replyEnded(@Nullable Throwable failure) {
    if (failure != null) {
      lost = failure;
    }
    commandEnded();
  }

  @Override
  @Nullable PutOutcome ended() {
    LmcacheException earlier = undone;
    if (earlier != null) {
      return failed(earlier);
    }
    boolean payloadStored = stored(payloadReply);
    WireCommand<?> waiting = headerCommand;
    if (payloadStored && waiting != null) {
      headerCommand = null;
      send(waiting);
      return null;
    }
    boolean headerStored = stored(headerReply);
    if (payloadStored && headerStored) {
      return new PutOutcome.Stored(key, payload.length());
    }
    Throwable failure = lost;
    LmcacheException cause =
        failure == null
            ? Failures.refused(name, words(payloadStored ? headerReply : payloadReply))
            : Failures.lost(name, failure);
    if (headerStored) {
      // The metadata now promises what is not there.
      undone = cause;
      sendAnyway(
          new WireCommand<>(
              DEL,
              new IntegerOutput<>(ByteArrayCodec.INSTANCE),
              new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(keys.metadata()),
              e -> commandEnded()));
      return null;
    }
    return failed(cause);
  }
}
