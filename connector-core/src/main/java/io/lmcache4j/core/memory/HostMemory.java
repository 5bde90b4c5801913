/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.memory;

import org.jspecify.annotations.Nullable;

/**
 * Where the bytes of chunks live: leases of direct memory, up to a cap.
 *
 * <p>The library never allocates a payload anywhere else, so an embedder decides with its {@code
 * HostMemory} whether chunks land in plain direct memory ({@link DirectMemory}), in pinned memory
 * or in memory shared with another process. Implementations are safe for use by many threads and
 * must not block in {@link #tryLease}: it is called on the event loop when a reply announces its
 * size.
 */
public interface HostMemory extends AutoCloseable {

  /**
   * Leases start at a multiple of this many bytes, as LMCache's own allocator has it ({@code
   * ALIGN_BYTES}).
   */
  int ALIGNMENT = 4096;

  /**
   * Leases {@code length} bytes. Their content is undefined.
   *
   * @param length bytes, 0 or more
   * @return a lease with one reference, owned by the caller; or null when the cap leaves no room
   *     for it now, which is an outcome to be handled and not an error
   * @throws IllegalArgumentException if the length is negative
   * @throws IllegalStateException if this memory is closed
   */
  @Nullable ChunkBuffer tryLease(int length);

  /**
   * The most that can be leased at one time, rounding included.
   *
   * @return the cap in bytes
   */
  long capacityBytes();

  /**
   * What is leased now, each lease rounded up to {@link #ALIGNMENT}.
   *
   * @return bytes
   */
  long leasedBytes();

  /**
   * How many leases are out.
   *
   * @return a count; 0 when every lease has come back
   */
  int leases();

  /**
   * Whether leases of this memory are pinned.
   *
   * @return true if {@link ChunkBuffer#isPinned()} holds for every lease
   */
  boolean isPinned();

  /**
   * Refuses further leases and frees the memory, at once or, while leases are out, when the last
   * one comes back: bytes that somebody holds are never freed under their hands. Idempotent.
   */
  @Override
  void close();
}
