/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.memory;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The default memory: direct, not pinned, capped.
 *
 * <p>Slabs are taken through Netty, whose direct memory is freed when it is released and not when a
 * garbage collector gets round to it. They count towards {@code -Dio.netty.maxDirectMemory} (or
 * {@code -XX:MaxDirectMemorySize}); where that is smaller than the cap, leases are refused earlier,
 * as if the cap were reached.
 */
public final class DirectMemory extends SlabMemory {

  private static final Logger log = LoggerFactory.getLogger(DirectMemory.class);

  private DirectMemory(long capacityBytes) {
    super(capacityBytes);
  }

  /**
   * Creates a memory. Nothing is taken from the system before the first lease.
   *
   * @param capacityBytes the most that may be leased at one time; at least one page
   * @return the memory, to be closed by the caller
   * @throws IllegalArgumentException if the cap is below one page
   */
  public static DirectMemory create(long capacityBytes) {
    return new DirectMemory(capacityBytes);
  }

  @Override
  public boolean isPinned() {
    return false;
  }

  @Override
  protected @Nullable Slab takeSlab(long bytes) {
    if (bytes > Integer.MAX_VALUE - ALIGNMENT) {
      return null;
    }
    try {
      return new DirectSlab((int) bytes);
    } catch (OutOfMemoryError e) {
      // Netty's OutOfDirectMemoryError and the JDK's own: the process is fine, only this piece is
      // not to be had.
      log.debug("no direct memory for a slab of {} bytes", bytes, e);
      return null;
    }
  }

  private static final class DirectSlab implements Slab {

    private final ByteBuf memory;
    private final ByteBuffer aligned;
    private final long address;

    DirectSlab(int bytes) {
      memory = UnpooledByteBufAllocator.DEFAULT.directBuffer(bytes + ALIGNMENT);
      ByteBuffer whole = memory.nioBuffer(0, bytes + ALIGNMENT);
      int skip = Math.floorMod(-whole.alignmentOffset(0, ALIGNMENT), ALIGNMENT);
      aligned = whole.slice(skip, bytes);
      address = memory.memoryAddress() + skip;
    }

    @Override
    public long address() {
      return address;
    }

    @Override
    public long bytes() {
      return aligned.capacity();
    }

    @Override
    public ByteBuffer view(long offset, int length) {
      return aligned.slice((int) offset, length);
    }

    @Override
    public boolean isPinned() {
      return false;
    }

    @Override
    public void free() {
      memory.release();
    }
  }
}
