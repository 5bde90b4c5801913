/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.metadata.RemoteMetadata;

/** What became of one chunk that was to go to a device. */
public sealed interface DeviceGetOutcome {

  /**
   * The key.
   *
   * @return the key
   */
  ChunkKey key();

  /**
   * The chunk's bytes are in its device ranges.
   *
   * @param key the key
   * @param metadata its header
   * @param times when
   */
  record Loaded(ChunkKey key, RemoteMetadata metadata, ChunkTimes times)
      implements DeviceGetOutcome {}

  /**
   * It is not stored. The device was not touched.
   *
   * @param key the key
   */
  record Miss(ChunkKey key) implements DeviceGetOutcome {}

  /**
   * What is stored contradicts itself, or is of another size than the ranges. The device was not
   * touched.
   *
   * @param key the key
   * @param reason what disagrees, with the numbers
   */
  record Unusable(ChunkKey key, String reason) implements DeviceGetOutcome {}

  /**
   * The staging memory had no room for it, and no other chunk of the batch was there to wait for.
   * The device was not touched.
   *
   * @param key the key
   * @param bytes what was asked for
   */
  record NoMemory(ChunkKey key, long bytes) implements DeviceGetOutcome {}

  /**
   * The store failed. The device was not touched.
   *
   * @param key the key
   * @param cause why
   */
  record TransferFailed(ChunkKey key, Throwable cause) implements DeviceGetOutcome {}

  /**
   * The copy failed: the bytes of this chunk's ranges are undefined, and those of no other.
   *
   * @param key the key
   * @param cause why
   */
  record CopyFailed(ChunkKey key, LmcacheException cause) implements DeviceGetOutcome {}
}
