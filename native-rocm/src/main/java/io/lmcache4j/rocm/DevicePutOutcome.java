/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;

/** What became of one chunk that was put from a device. */
public sealed interface DevicePutOutcome {

  /**
   * The chunk's key.
   *
   * @return the key
   */
  ChunkKey key();

  /**
   * The store has it.
   *
   * @param key the key
   * @param bytes length of the payload
   * @param times when
   */
  record Stored(ChunkKey key, long bytes, ChunkTimes times) implements DevicePutOutcome {}

  /**
   * The staging memory had no room for it, and no other chunk of the batch was there to wait for.
   * Nothing was copied or sent.
   *
   * @param key the key
   * @param bytes what was asked for
   */
  record NoMemory(ChunkKey key, long bytes) implements DevicePutOutcome {}

  /**
   * It did not come off the device, or its ranges are not what its metadata says. Nothing was sent.
   *
   * @param key the key
   * @param cause why
   */
  record CopyFailed(ChunkKey key, LmcacheException cause) implements DevicePutOutcome {}

  /**
   * The store did not take it, or did not say so.
   *
   * @param key the key
   * @param cause why
   */
  record TransferFailed(ChunkKey key, Throwable cause) implements DevicePutOutcome {}
}
