/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import io.lmcache4j.core.DType;
import java.util.Map;

/** Key of a whole chunk. */
public record CacheEngineKey(
    String modelName,
    int worldSize,
    int workerId,
    String chunkHash,
    DType dtype,
    Map<String, String> tags)
    implements ChunkKey {

  @Override
  public CacheEngineKey withWorkerId(int workerId) {
    return new CacheEngineKey(modelName, worldSize, workerId, chunkHash, dtype, tags);
  }
}
