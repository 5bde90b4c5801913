/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;

/** What became of one chunk that was put. */
public sealed interface PutOutcome {

  /**
   * The chunk's key.
   *
   * @return the key
   */
  ChunkKey key();

  /**
   * Both keys of the chunk are in Redis, acknowledged by the server.
   *
   * @param key the chunk's key
   * @param payloadBytes length of the payload
   */
  record Stored(ChunkKey key, long payloadBytes) implements PutOutcome {}

  /**
   * The chunk is not in Redis as it should be. After a {@link
   * io.lmcache4j.core.metadata.MetadataException} nothing was sent; after a lost connection or a
   * timeout the server may or may not have stored it, and a reader sees all of it or none.
   *
   * @param key the chunk's key
   * @param cause why
   */
  record Failed(ChunkKey key, LmcacheException cause) implements PutOutcome {}
}
