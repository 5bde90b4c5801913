/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Two keys a chunk: {@code <key>kv_bytes} with the payload and {@code <key>metadata} with the
 * header. Source: {@code lmcache/v1/storage_backend/connector/redis_connector.py}, LMCache 0.5.6;
 * {@code valkey_connector.py} of 0.4.2 has a colon before the suffixes, and in a cluster braces
 * around the key.
 *
 * <p>Readers take the metadata for the commit record: it is written last and deleted first.
 */
final class PairLayout implements Layout {

  static final String METADATA = "metadata";
  static final String PAYLOAD = "kv_bytes";

  private final KeyNames names;

  PairLayout(KeyNames names) {
    this.names = names;
  }

  /**
   * The two Redis keys of a chunk.
   *
   * @param text the chunk's key
   * @param metadata Redis key of the header, UTF-8
   * @param payload Redis key of the payload, UTF-8
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared; handed to Lettuce as they are.
  record Keys(String text, byte[] metadata, byte[] payload) {}

  Keys keys(ChunkKey key) {
    String text = names.text(key);
    return new Keys(text, names.redisKey(text, METADATA), names.redisKey(text, PAYLOAD));
  }

  @Override
  public String text(ChunkKey key) {
    return names.text(key);
  }

  @Override
  public Operation<PutOutcome> put(ConnectorCore core, KvChunk chunk, long ttlMillis) {
    Keys keys = keys(chunk.key());
    byte[] header = encode(core.codec(), keys.text(), chunk);
    return new PutOperation(core, chunk.key(), keys, header, chunk.payload().retain(), ttlMillis);
  }

  private static byte[] encode(RemoteMetadataCodec codec, String text, KvChunk chunk) {
    RemoteMetadata metadata = chunk.metadata();
    codec.validate(text, metadata);
    RemoteMetadataCodec.validatePayload(text, metadata, chunk.payload().length());
    byte[] header = new byte[codec.encodedLength(metadata)];
    codec.encode(text, metadata, Unpooled.wrappedBuffer(header).clear());
    return header;
  }

  @Override
  public Operation<GetOutcome> get(ConnectorCore core, ChunkKey key, HostMemory into) {
    return new GetOperation(core, key, keys(key), into);
  }

  @Override
  public byte[] commitKey(String text) {
    return names.redisKey(text, METADATA);
  }

  @Override
  public List<byte[]> removalOrder(String text) {
    return List.of(commitKey(text), names.redisKey(text, PAYLOAD));
  }

  @Override
  public String scanPattern() {
    return names.pattern(METADATA);
  }

  @Override
  public @Nullable String textOf(String redisKey) {
    return names.textOf(redisKey, METADATA);
  }

  @Override
  public String scanPatternOfAll() {
    return names.pattern("*");
  }

  @Override
  public @Nullable String textOfAny(String redisKey) {
    String text = textOf(redisKey);
    return text == null ? names.textOf(redisKey, PAYLOAD) : text;
  }

  @Override
  public CompletableFuture<EntryInfo> inspect(
      ConnectorCore core, ChunkKey key, RedisClusterAsyncCommands<byte[], byte[]> commands) {
    Keys keys = keys(key);
    OtherLayouts others =
        new OtherLayouts(core.options().keyPrefix(), keys.text(), keys.metadata());
    return PairInspection.of(key, keys, others, core.codec(), commands);
  }
}
