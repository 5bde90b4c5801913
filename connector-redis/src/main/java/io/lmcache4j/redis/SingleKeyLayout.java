/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.model.KvGeometry;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One key a chunk, its value the bare payload: {@code resp://} (LMCache's C++ client), {@code
 * valkey://} since 0.4.3, and the objects of the multi-process mode.
 *
 * <p>There is no header, so what the bytes mean must be known beforehand. With a {@link KvGeometry}
 * a payload of the geometry's full chunk is a tensor of its shape, and one of any other length is
 * refused, as LMCache has one fixed length too. Without a geometry the payload is an opaque buffer
 * of the length that the server announces.
 */
final class SingleKeyLayout implements Layout {

  private final KeyNames names;
  private final @Nullable KvGeometry geometry;

  SingleKeyLayout(KeyNames names, RedisConnectorOptions options) {
    this.names = names;
    this.geometry = options.geometry();
  }

  /** What a payload of this length is. */
  RemoteMetadata describe(long length) {
    KvGeometry known = geometry;
    return known == null
        ? new RemoteMetadata(
            length,
            MemoryFormat.BINARY_BUFFER,
            List.of(Shape.of(length, 0, 0, 0)),
            List.of(DType.NONE))
        : RemoteMetadata.of(known.chunkFormat(), known.chunkShape(), known.dtype());
  }

  /** Why a payload of this length cannot be a chunk, if it cannot. */
  Optional<String> disagreement(long length) {
    KvGeometry known = geometry;
    return known == null || known.bytesPerChunk() == length
        ? Optional.empty()
        : Optional.of(
            "the payload has "
                + length
                + " bytes, a chunk of this geometry "
                + known.bytesPerChunk());
  }

  @Override
  public String text(ChunkKey key) {
    return names.text(key);
  }

  @Override
  public Operation<PutOutcome> put(ConnectorCore core, KvChunk chunk, long ttlMillis) {
    String text = names.text(chunk.key());
    // The header is not written, but it must be true all the same.
    core.codec().validate(text, chunk.metadata());
    RemoteMetadataCodec.validatePayload(text, chunk.metadata(), chunk.payload().length());
    Optional<String> disagreement = disagreement(chunk.payload().length());
    if (disagreement.isPresent()) {
      throw new ChunkRefusedException(text, disagreement.get());
    }
    return new SinglePutOperation(
        core, chunk.key(), text, names.redisKey(text, ""), chunk.payload().retain(), ttlMillis);
  }

  @Override
  public Operation<GetOutcome> get(ConnectorCore core, ChunkKey key, HostMemory into) {
    String text = names.text(key);
    return new SingleGetOperation(core, this, key, text, names.redisKey(text, ""), into);
  }

  @Override
  public byte[] commitKey(String text) {
    return names.redisKey(text, "");
  }

  @Override
  public List<byte[]> removalOrder(String text) {
    return List.of(commitKey(text));
  }

  @Override
  public String scanPattern() {
    return names.pattern("");
  }

  @Override
  public @Nullable String textOf(String redisKey) {
    return names.textOf(redisKey, "");
  }

  @Override
  public String scanPatternOfAll() {
    return scanPattern();
  }

  @Override
  public @Nullable String textOfAny(String redisKey) {
    return textOf(redisKey);
  }

  @Override
  public CompletableFuture<EntryInfo> inspect(
      ConnectorCore core, ChunkKey key, RedisClusterAsyncCommands<byte[], byte[]> commands) {
    String text = names.text(key);
    byte[] redisKey = names.redisKey(text, "");
    OtherLayouts others = new OtherLayouts(core.options().keyPrefix(), text, redisKey);
    return SingleKeyInspection.of(this, key, redisKey, others, commands);
  }
}
