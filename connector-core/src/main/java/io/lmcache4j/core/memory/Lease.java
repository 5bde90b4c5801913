/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.memory;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledDirectByteBuf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * A part of a slab, counted. The object is made anew for every lease and never reused, so that a
 * stale reference to it can only fail and never reach the bytes' next holder.
 */
final class Lease implements ChunkBuffer {

  /**
   * With {@code -Dlmcache4j.memory.poison=true} returned bytes are overwritten, so that whoever
   * reads them too late sees nonsense and fails a checksum. For tests: it costs a pass over the
   * bytes.
   */
  private static final boolean POISON = Boolean.getBoolean("lmcache4j.memory.poison");

  private static final long POISON_WORD = 0xDEADDEADDEADDEADL;

  private static final AtomicIntegerFieldUpdater<Lease> REFS =
      AtomicIntegerFieldUpdater.newUpdater(Lease.class, "refs");

  private final SlabMemory memory;
  private final SlabMemory.Region region;
  private final long offset;
  private final int length;
  private volatile int refs = 1;

  Lease(SlabMemory memory, SlabMemory.Region region, long offset, int length) {
    this.memory = memory;
    this.region = region;
    this.offset = offset;
    this.length = length;
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public long address() {
    checkHeld();
    return region.slab.address() + offset;
  }

  @Override
  public ByteBuffer nio() {
    checkHeld();
    return region.slab.view(offset, length).order(ByteOrder.nativeOrder());
  }

  @Override
  public ByteBuf netty() {
    retain();
    return new View(this, region.slab.view(offset, length));
  }

  @Override
  public boolean isPinned() {
    return region.slab.isPinned();
  }

  @Override
  public ChunkBuffer retain() {
    for (int n = refs; n > 0; n = refs) {
      if (REFS.compareAndSet(this, n, n + 1)) {
        return this;
      }
    }
    throw new LeaseReleasedException("cannot retain: " + this);
  }

  @Override
  public boolean release() {
    for (int n = refs; n > 0; n = refs) {
      if (REFS.compareAndSet(this, n, n - 1)) {
        if (n > 1) {
          return false;
        }
        memory.giveBack(region, offset, length);
        return true;
      }
    }
    throw new LeaseReleasedException("released once too often: " + this);
  }

  private void checkHeld() {
    if (refs <= 0) {
      throw new LeaseReleasedException("used after its release: " + this);
    }
  }

  @Override
  public String toString() {
    return "lease of " + length + " bytes with " + refs + " references";
  }

  static void poison(Slab slab, long offset, int length) {
    if (POISON) {
      ByteBuffer bytes = slab.view(offset, length / Long.BYTES * Long.BYTES);
      while (bytes.hasRemaining()) {
        bytes.putLong(POISON_WORD);
      }
    }
  }

  /** A Netty view that gives its reference back when Netty lets go of the bytes. */
  private static final class View extends UnpooledDirectByteBuf {

    private final Lease lease;

    View(Lease lease, ByteBuffer bytes) {
      super(UnpooledByteBufAllocator.DEFAULT, bytes, bytes.remaining());
      this.lease = lease;
    }

    @Override
    protected void deallocate() {
      super.deallocate();
      lease.release();
    }
  }
}
