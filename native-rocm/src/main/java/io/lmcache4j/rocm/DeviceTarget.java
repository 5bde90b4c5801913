/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.key.ChunkKey;
import java.util.List;
import java.util.Objects;

/**
 * Where on a device a chunk is to go.
 *
 * @param key what is asked for
 * @param ranges where its bytes go, in the order of the payload, exactly as many
 */
public record DeviceTarget(ChunkKey key, List<DeviceRange> ranges) {

  /** Checks that nothing is null and that there is a range. */
  public DeviceTarget {
    Objects.requireNonNull(key, "key");
    ranges = List.copyOf(ranges);
    if (ranges.isEmpty()) {
      throw new IllegalArgumentException("a target without a range: " + key);
    }
  }
}
