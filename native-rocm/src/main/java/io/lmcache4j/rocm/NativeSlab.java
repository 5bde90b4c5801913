/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import com.sun.jna.Pointer;
import io.lmcache4j.core.memory.HostMemory;
import java.nio.ByteBuffer;

/**
 * One piece of host memory from one call: one {@code hipHostMalloc}, or one mapping with at most
 * one registration. It knows how it is given back, which HIP itself would not check: {@code
 * hipHostUnregister} of memory from {@code hipHostMalloc} drops the allocation.
 *
 * @param address the first byte, page-aligned
 * @param bytes the size; may be more than a {@link ByteBuffer} can hold
 * @param isPinned whether the runtime knows these pages
 * @param release gives the piece back; called once, on the device's thread if there is one
 */
record NativeSlab(long address, long bytes, boolean isPinned, Runnable release) {

  NativeSlab {
    if (address == 0 || address % HostMemory.ALIGNMENT != 0) {
      throw new HostMemoryException(
          String.format("memory at 0x%x does not begin at a multiple of 4096", address));
    }
  }

  /** A direct view of a part. JNA makes it without a copy, and without a cleaner. */
  ByteBuffer view(long offset, int length) {
    if (offset < 0 || length < 0 || offset > bytes - length) {
      throw new IndexOutOfBoundsException(
          length + " bytes at " + offset + " are not within a slab of " + bytes);
    }
    return new Pointer(address + offset).getByteBuffer(0, length);
  }
}
