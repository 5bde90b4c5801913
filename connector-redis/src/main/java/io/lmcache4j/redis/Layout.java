/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.HostMemory;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * How a chunk lies in Redis: what LMCache calls a connector. The layouts do not interoperate, and
 * to a reader of one a chunk of another looks like a cold cache; {@link #inspect} says so.
 */
interface Layout {

  /** The layout of a URL. */
  static Layout of(RedisConnectorOptions options) {
    StoredName.Form form = StoredName.Form.of(options.url());
    KeyNames names = form.names(options.lmcacheVersion(), options.keyPrefix());
    return form.isPair() ? new PairLayout(names) : new SingleKeyLayout(names, options);
  }

  /** The chunk's key as text; throws if the key does not fit the grammar. */
  String text(ChunkKey key);

  /**
   * Checks a chunk and prepares to store it.
   *
   * @param ttlMillis time to live; 0 for none
   * @throws io.lmcache4j.core.LmcacheException if it is refused; nothing is held then
   */
  Operation<PutOutcome> put(ConnectorCore core, KvChunk chunk, long ttlMillis);

  /** Prepares to read a chunk. */
  Operation<GetOutcome> get(ConnectorCore core, ChunkKey key, HostMemory into);

  /**
   * The Redis key whose existence says that the chunk is there.
   *
   * @param text the chunk's key, in whichever grammar
   */
  byte[] commitKey(String text);

  /**
   * The Redis keys of a chunk, in the order in which they are to be deleted.
   *
   * @param text the chunk's key, in whichever grammar
   */
  List<byte[]> removalOrder(String text);

  /** What SCAN should look for. */
  String scanPattern();

  /** The chunk's key in a Redis key that was found so, or null if that is none. */
  @Nullable String textOf(String redisKey);

  /** What SCAN should look for to see every key of every chunk, halves that are alone as well. */
  String scanPatternOfAll();

  /** The chunk's key in any Redis key of a chunk, or null if it is none. */
  @Nullable String textOfAny(String redisKey);

  /** Tells what is there, without the payload. */
  CompletableFuture<EntryInfo> inspect(
      ConnectorCore core, ChunkKey key, RedisClusterAsyncCommands<byte[], byte[]> commands);
}
