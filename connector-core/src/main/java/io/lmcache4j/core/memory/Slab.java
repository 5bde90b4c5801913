/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.memory;

import java.nio.ByteBuffer;

/**
 * One contiguous piece of native memory out of which {@link SlabMemory} cuts leases. A lease never
 * spans two slabs, so what holds for a slab (one registration with a GPU runtime, one mapping)
 * holds for every lease on it.
 */
public interface Slab {

  /**
   * Native address of the first byte, a multiple of {@link HostMemory#ALIGNMENT}.
   *
   * @return the address
   */
  long address();

  /**
   * Size in bytes, a multiple of {@link HostMemory#ALIGNMENT}.
   *
   * @return the size
   */
  long bytes();

  /**
   * A direct view of a part of the slab, in any byte order.
   *
   * @param offset first byte
   * @param length bytes
   * @return a fresh view
   */
  ByteBuffer view(long offset, int length);

  /** Whether a GPU runtime has locked these pages. */
  boolean isPinned();

  /** Frees the memory. Called once, when no lease is left on the slab. */
  void free();
}
