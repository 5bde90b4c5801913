/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.bench;

import io.lmcache4j.redis.RedisConnectorOptions;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One configuration to be measured.
 *
 * @param url the server
 * @param chunkBytes length of a payload, a multiple of {@link #CHUNK_UNIT}
 * @param batch chunks that are put or got at one time
 * @param rounds rounds that count
 * @param connections data connections
 * @param inFlightBytes the byte budget; null for the connector's own
 * @param path how payload bytes cross
 * @param ttl time to live of what is written, should the JVM be killed before it is removed; null
 *     on a server that goes with the JVM
 */
public record BenchSettings(
    String url,
    int chunkBytes,
    int batch,
    int rounds,
    int connections,
    @Nullable Long inFlightBytes,
    RedisConnectorOptions.Path path,
    @Nullable Duration ttl) {

  /** A payload is a bfloat16 tensor of shape {@code [2, 1, 256, n]}. */
  public static final int CHUNK_UNIT = 2 * 256 * Short.BYTES;

  private static final double MIB = 1 << 20;

  /** Checks the limits. */
  public BenchSettings {
    if (chunkBytes <= 0 || chunkBytes % CHUNK_UNIT != 0) {
      throw new IllegalArgumentException(
          "chunks of " + chunkBytes + " bytes: not a positive multiple of " + CHUNK_UNIT);
    }
    if (batch < 1 || rounds < 1 || connections < 1) {
      throw new IllegalArgumentException(
          "batch " + batch + ", rounds " + rounds + ", connections " + connections + ": below 1");
    }
  }

  /**
   * The size of a chunk for people.
   *
   * @return MiB
   */
  public double chunkMib() {
    return chunkBytes / MIB;
  }

  /**
   * What one round moves each way.
   *
   * @return bytes
   */
  public long roundBytes() {
    return (long) batch * chunkBytes;
  }
}
