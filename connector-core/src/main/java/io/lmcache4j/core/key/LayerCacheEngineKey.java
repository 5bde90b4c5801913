/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import io.lmcache4j.core.DType;
import java.util.Map;

/** Key of one layer of a chunk. */
public record LayerCacheEngineKey(CacheEngineKey chunk, int layerId) implements ChunkKey {

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
}
