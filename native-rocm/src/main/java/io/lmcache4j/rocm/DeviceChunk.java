/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.metadata.RemoteMetadata;
import java.util.List;
import java.util.Objects;

/**
 * A chunk whose bytes are on a device.
 *
 * @param key what it is called
 * @param metadata what it consists of
 * @param ranges its bytes, in the order of the payload
 */
public record DeviceChunk(ChunkKey key, RemoteMetadata metadata, List<DeviceRange> ranges) {

  /** Checks that nothing is null and that there is a range. */
  public DeviceChunk {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(metadata, "metadata");
    ranges = List.copyOf(ranges);
    if (ranges.isEmpty()) {
      throw new IllegalArgumentException("a chunk without a range: " + key);
    }
  }
}
