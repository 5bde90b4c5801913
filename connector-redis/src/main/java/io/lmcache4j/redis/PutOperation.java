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
 * that their order holds with one trip.
 *
 * <p>LMCache awaits the first before it sends the second, so its metadata never promises a payload
 * that was refused. Here both are under way at once; if the payload turns out refused and the
 * metadata stored, the metadata is deleted again before the failure is told.
 */
final class PutOperation extends Operation<PutOutcome> {

  /**
   * How much longer the payload lives than its metadata, when there is a time to live: LMCache asks
   * for the payload up to {@code blocking_timeout_secs} (10 s) after it has seen the metadata.
   */
  private static final long PAYLOAD_TTL_MARGIN_MILLIS = 10_000;

  private final ChunkKey key;
  private final PairKeys keys;
  private final byte[] header;
  private final ChunkBuffer payload;
  private final long ttlMillis;

  private final StatusOutput<byte[], byte[]> payloadReply =
      new StatusOutput<>(ByteArrayCodec.INSTANCE);
  private final StatusOutput<byte[], byte[]> headerReply =
      new StatusOutput<>(ByteArrayCodec.INSTANCE);
  private volatile @Nullable WireCommand<?> payloadCommand;
  private volatile @Nullable WireCommand<?> headerCommand;
  private volatile @Nullable Throwable lost;
  private volatile @Nullable LmcacheException refused;

  /**
   * Takes over one reference to the payload, which it releases when the payload is no longer
   * needed.
   */
  PutOperation(
      ConnectorCore core, ChunkKey key, PairKeys keys, byte[] header, ChunkBuffer payload) {
    super(core, "put " + keys.text());
    this.key = key;
    this.keys = keys;
    this.header = header;
    this.payload = payload;
    this.ttlMillis = core.options().ttl() == null ? 0 : core.options().ttl().toMillis();
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
    payloadCommand = first;
    headerCommand = second;
    send(first);
    send(second);
  }

  private void payloadEnded(@Nullable Throwable failure) {
    payload.release();
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
    LmcacheException earlier = refused;
    if (earlier != null) {
      return failed(earlier);
    }
    Throwable failure = lost;
    if (payloadReply.hasError()) {
      LmcacheException cause = Failures.refused(name, payloadReply.getError());
      if (failure == null && !headerReply.hasError()) {
        // The metadata now promises what is not there.
        refused = cause;
        send(
            new WireCommand<>(
                DEL,
                new IntegerOutput<>(ByteArrayCodec.INSTANCE),
                new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(keys.metadata()),
                this::replyEnded));
        return null;
      }
      return failed(failure == null ? cause : Failures.lost(name, failure));
    }
    if (headerReply.hasError()) {
      return failed(Failures.refused(name, headerReply.getError()));
    }
    if (failure != null) {
      return failed(Failures.lost(name, failure));
    }
    return new PutOutcome.Stored(key, payload.length());
  }

  @Override
  void dropped() {
    payload.release();
  }

  @Override
  void giveUp() {
    // The metadata first: given up alone it leaves an invisible payload, the other way round a
    // promise without one.
    WireCommand<?> second = headerCommand;
    if (second != null) {
      second.giveUp();
    }
    WireCommand<?> first = payloadCommand;
    if (first != null) {
      first.giveUp();
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
