/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import io.lmcache4j.core.DType;
import java.util.Map;

/**
 * Key of one layer of a chunk ({@code LayerCacheEngineKey}, {@code lmcache/utils.py}, LMCache
 * 0.5.6), as layerwise transfer uses it. The constructor throws {@link KeySyntaxException} for a
 * negative layer.
 *
 * @param chunk the chunk
 * @param layerId the layer, 0 or more
 */
public record LayerCacheEngineKey(CacheEngineKey chunk, int layerId) implements ChunkKey {

  public LayerCacheEngineKey {
    if (layerId < 0) {
      throw new KeySyntaxException(
          chunk.toString(), KeySyntax.LAYER_ID, Integer.toString(layerId), "0 or more");
    }
  }

  @Override
  public String modelName() {
    return chunk.modelName();
  }

  @Override
  public int worldSize() {
    return chunk.worldSize();
  }

  @Override
  public int workerId() {
    return chunk.workerId();
  }

  @Override
  public String chunkHash() {
    return chunk.chunkHash();
  }

  @Override
  public DType dtype() {
    return chunk.dtype();
  }

  @Override
  public Map<String, String> tags() {
    return chunk.tags();
  }

  @Override
  public LayerCacheEngineKey withWorkerId(int workerId) {
    return new LayerCacheEngineKey(chunk.withWorkerId(workerId), layerId);
  }

  /** Returns the key in the same grammar as {@link CacheEngineKey#toString()}. */
  @Override
  public String toString() {
    return KeyFormat.textOf(this);
  }
}
