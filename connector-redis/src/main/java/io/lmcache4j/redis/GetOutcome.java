/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;

/** What became of one key that was asked for. */
public sealed interface GetOutcome {

  /**
   * The key.
   *
   * @return the key
   */
  ChunkKey key();

  /**
   * The chunk was there, and its header, its shapes and its payload agree.
   *
   * @param key the key
   * @param chunk the chunk; the receiver closes it
   */
  record Hit(ChunkKey key, KvChunk chunk) implements GetOutcome {}

  /**
   * The chunk is not there.
   *
   * @param key the key
   */
  record Miss(ChunkKey key) implements GetOutcome {}

  /**
   * The metadata was there but the payload was not (evicted, most likely). The metadata has been
   * deleted, as LMCache does it, so that lookups no longer promise the chunk.
   *
   * @param key the key
   */
  record Orphan(ChunkKey key) implements GetOutcome {}

  /**
   * Header, shapes and payload disagree, so nothing is handed out. (LMCache compares two of the
   * three, and hands out stale memory when the shapes are larger than the payload.)
   *
   * @param key the key
   * @param reason what disagrees, with the numbers
   */
  record Corrupt(ChunkKey key, String reason) implements GetOutcome {}

  /**
   * The chunk is there, but the memory it was to be read into has no room for it now.
   *
   * @param key the key
   * @param bytes what was asked for
   */
  record NoMemory(ChunkKey key, long bytes) implements GetOutcome {}

  /**
   * The server did not answer, or refused.
   *
   * @param key the key
   * @param cause why
   */
  record Failed(ChunkKey key, LmcacheException cause) implements GetOutcome {}
}
