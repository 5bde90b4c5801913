/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import io.lmcache4j.core.DType;
import java.util.Map;

/**
 * What names one entry of the cache: a whole chunk ({@link CacheEngineKey}) or one layer of it
 * ({@link LayerCacheEngineKey}), or an object of LMCache's multi-process mode ({@link ObjectKey}).
 *
 * <p>{@link Object#toString()} is the key as LMCache 0.3.13 and newer write it, or, for a key
 * without a dtype, as 0.3.6 wrote it; {@link KeyFormat} reads and writes each grammar.
 */
public sealed interface ChunkKey permits CacheEngineKey, LayerCacheEngineKey, ObjectKey {

  /**
   * The model as vLLM was given it: the path or hub id, not the served name.
   *
   * @return the name, verbatim
   */
  String modelName();

  /**
   * Tensor times pipeline parallel size; 1 for MLA models since 0.3.10.
   *
   * @return the size
   */
  int worldSize();

  /**
   * The rank that wrote the chunk.
   *
   * @return the rank
   */
  int workerId();

  /**
   * The chunk's hash as text, exactly as it stands in the key.
   *
   * @return lower-case hexadecimal digits, with a leading {@code -} for negative hashes (decimal in
   *     0.3.3 to 0.3.5)
   */
  String chunkHash();

  /**
   * The engine's KV dtype, which may differ from that of a group.
   *
   * @return the dtype; {@link DType#NONE} for a key of LMCache 0.3.9 or older, whose grammar has no
   *     such field
   */
  DType dtype();

  /**
   * The request's {@code lmcache.tag.} entries, prefix stripped, in the request's order.
   *
   * @return an unmodifiable map in insertion order
   */
  Map<String, String> tags();

  /**
   * The same key for another worker.
   *
   * @param workerId the other rank
   * @return a key
   */
  ChunkKey withWorkerId(int workerId);

  /**
   * Parses a key in today's grammar, {@link KeyFormat#V0_3_13}. Where older fleets write to the
   * same Redis, see {@link KeyFormat#parseAny}.
   *
   * @param text the key, without the suffix of a Redis key
   * @return a {@link CacheEngineKey} or a {@link LayerCacheEngineKey}
   * @throws KeySyntaxException if the text is no key
   */
  static ChunkKey parse(String text) {
    return KeyFormat.V0_3_13.parse(text);
  }
}
