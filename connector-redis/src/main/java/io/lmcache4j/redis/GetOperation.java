/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static io.lettuce.core.protocol.CommandType.DEL;
import static io.lettuce.core.protocol.CommandType.GET;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.MetadataException;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.lmcache4j.redis.wire.HeaderOutput;
import io.lmcache4j.redis.wire.WireCommand;
import io.netty.buffer.ByteBuf;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET <K>metadata}, {@code GET <K>kv_bytes}, pipelined on one connection: one trip. In a
 * cluster, where they go to different nodes and the second reply may overtake the first, the second
 * waits for the first.
 *
 * <p>The header's reply comes first. When the payload is announced behind it, header, shapes and
 * announced length are compared, and only if they agree is memory leased and the payload let in;
 * otherwise it is drained, so that the connection stays in step, and the outcome says why.
 */
final class GetOperation extends ReadOperation implements HeaderOutput.Listener {

  /** A header of the most groups that are read; what is longer is not a header. */
  static final int MAX_HEADER_BYTES =
      RemoteMetadataCodec.GROUPS_OFFSET
          + RemoteMetadataCodec.MAX_GROUPS * RemoteMetadataCodec.GROUP_LENGTH;

  private final PairLayout.Keys keys;
  private final HeaderOutput headerReply = new HeaderOutput(MAX_HEADER_BYTES, this);

  // Written on the event loop; read when the last command has ended.
  private @Nullable RemoteMetadata metadata;
  private boolean orphan;

  /** Set until it is sent. */
  private volatile @Nullable WireCommand<?> payloadCommand;

  GetOperation(ConnectorCore core, ChunkKey key, PairLayout.Keys keys, HostMemory memory) {
    super(core, key, keys.text(), memory, keys.metadata(), keys.payload());
    this.keys = keys;
  }

  @Override
  void launch() {
    WireCommand<Long> first =
        new WireCommand<>(GET, headerReply, args(keys.metadata()), this::replyEnded);
    WireCommand<Long> second =
        new WireCommand<>(GET, payloadReply, args(keys.payload()), this::replyEnded);
    if (!core.keepsOrder()) {
      payloadCommand = second;
    }
    send(first);
    if (core.keepsOrder()) {
      send(second);
    }
  }

  private static CommandArgs<byte[], byte[]> args(byte[] key) {
    return new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(key);
  }

  @Override
  public void header(@Nullable ByteBuf bytes) {
    if (bytes == null) {
      return;
    }
    try {
      RemoteMetadata read = core.codec().decode(keys.text(), bytes);
      metadata = read;
      // Of a length that cannot be, nothing follows for what is coming.
      if (read.length() >= 0) {
        resize(read.length());
      }
    } catch (MetadataException e) {
      corrupt = e.getMessage();
    }
  }

  @Override
  public void oversized(long length, int limit) {
    corrupt = "the metadata has " + length + " bytes, a header at most " + limit;
  }

  @Override
  @Nullable ChunkBuffer accept(long length) {
    RemoteMetadata header = metadata;
    if (header == null) {
      return null;
    }
    Optional<String> disagreement = RemoteMetadataCodec.disagreement(header, length);
    if (disagreement.isPresent()) {
      corrupt = disagreement.get();
      return null;
    }
    return lease(length);
  }

  @Override
  @Nullable GetOutcome ended() {
    if (orphan) {
      return new GetOutcome.Orphan(key);
    }
    ChunkBuffer lease = payloadReply.takeLease();
    RemoteMetadata header = metadata;
    Throwable failure = lost;
    boolean refused = headerReply.hasError() || payloadReply.hasError();
    if (failure == null && !refused && lease != null && header != null) {
      return new GetOutcome.Hit(key, new KvChunk(key, header, lease));
    }
    if (lease != null) {
      lease.release();
    }
    if (failure != null) {
      return failed(Failures.lost(name, failure));
    }
    if (refused) {
      return failed(
          Failures.refused(
              name, headerReply.hasError() ? headerReply.getError() : payloadReply.getError()));
    }
    if (corrupt != null) {
      return new GetOutcome.Corrupt(key, corrupt);
    }
    if (header == null) {
      return new GetOutcome.Miss(key);
    }
    if (noMemory >= 0) {
      return new GetOutcome.NoMemory(key, noMemory);
    }
    WireCommand<?> waiting = payloadCommand;
    if (waiting != null) {
      payloadCommand = null;
      send(waiting);
      return null;
    }
    if (!payloadReply.isAbsent()) {
      // Drained, or never asked for, because the caller gave up, who has an outcome already.
      // Nothing says that the payload is gone.
      return failed(new RequestTimeoutException(name, core.options().timeout()));
    }
    orphan = true;
    sendAnyway(
        new WireCommand<>(
            DEL,
            new IntegerOutput<>(ByteArrayCodec.INSTANCE),
            args(keys.metadata()),
            e -> commandEnded()));
    return null;
  }
}
