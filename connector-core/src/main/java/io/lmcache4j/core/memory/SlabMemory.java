/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.memory;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link HostMemory} that takes large slabs from somewhere and cuts leases out of them.
 *
 * <p><b>Why slabs.</b> Chunks are megabytes: taking each one from the operating system costs page
 * faults at every use, and registering each one with a GPU costs more still. A slab is paid for
 * once. Free space is kept as address ranges that join again when neighbours come back, as
 * LMCache's own {@code AddressManager} does it, because chunks of one model are nearly all of one
 * size and chunks of several models must be able to use the same slab in turn.
 *
 * <p><b>Fit.</b> Best fit over all slabs. When nothing fits, another slab is taken while the cap
 * allows; when the cap does not, slabs that nobody uses are given back first. What still does not
 * fit is refused with null.
 *
 * <p><b>Threads.</b> One lock, held for a few map operations. Only taking a slab is slow, and it
 * happens a handful of times in the life of a process.
 */
public abstract class SlabMemory implements HostMemory {

  private static final Logger log = LoggerFactory.getLogger(SlabMemory.class);

  /**
   * How much is taken from the system at a time, unless a lease needs more or the cap leaves less.
   */
  private static final long SLAB_BYTES = 256L << 20;

  private final Object lock = new Object();
  private final long capacity;
  private final List<Region> regions = new ArrayList<>();
  private long slabBytes;
  private long leasedBytes;
  private int leases;
  private boolean closed;

  /**
   * Creates an empty memory; nothing is taken from the system yet.
   *
   * @param capacityBytes the cap, at least {@link HostMemory#ALIGNMENT}; rounded down to a multiple
   *     of it
   * @throws IllegalArgumentException if the cap is smaller than that
   */
  protected SlabMemory(long capacityBytes) {
    if (capacityBytes < ALIGNMENT) {
      throw new IllegalArgumentException(
          "capacity " + capacityBytes + " bytes is below one page of " + ALIGNMENT);
    }
    capacity = capacityBytes / ALIGNMENT * ALIGNMENT;
  }

  /**
   * Takes a slab from the system.
   *
   * @param bytes size wanted, a positive multiple of {@link HostMemory#ALIGNMENT}
   * @return the slab, or null if the system has no such piece to give
   */
  protected abstract @Nullable Slab takeSlab(long bytes);

  @Override
  public final @Nullable ChunkBuffer tryLease(int length) {
    if (length < 0) {
      throw new IllegalArgumentException("cannot lease " + length + " bytes");
    }
    // An empty lease occupies a page too, so that it has an address of its own.
    long size = Math.max(roundUp(length), ALIGNMENT);
    synchronized (lock) {
      if (closed) {
        throw new IllegalStateException(this + " is closed");
      }
      Region region = bestFit(size);
      if (region == null) {
        region = grow(size);
      }
      if (region == null) {
        return null;
      }
      long offset = region.take(size);
      leasedBytes += size;
      leases++;
      return new Lease(this, region, offset, length);
    }
  }

  /** Called by a lease whose last reference is gone. */
  final void giveBack(Region region, long offset, int length) {
    long size = Math.max(roundUp(length), ALIGNMENT);
    Lease.poison(region.slab, offset, length);
    synchronized (lock) {
      region.giveBack(offset, size);
      leasedBytes -= size;
      leases--;
      if (closed && region.isUnused()) {
        drop(region);
        regions.remove(region);
      }
    }
  }

  private @Nullable Region bestFit(long size) {
    Region best = null;
    long bestSize = Long.MAX_VALUE;
    for (Region region : regions) {
      long fit = region.smallestFit(size);
      if (fit >= 0 && fit < bestSize) {
        best = region;
        bestSize = fit;
      }
    }
    return best;
  }

  private @Nullable Region grow(long size) {
    if (size > capacity) {
      return null;
    }
    for (Iterator<Region> it = regions.iterator(); it.hasNext() && slabBytes + size > capacity; ) {
      Region region = it.next();
      if (region.isUnused()) {
        drop(region);
        it.remove();
      }
    }
    if (slabBytes + size > capacity) {
      return null;
    }
    long wanted = Math.max(size, Math.min(SLAB_BYTES, capacity - slabBytes));
    Slab slab = takeSlab(wanted);
    if (slab == null && wanted > size) {
      slab = takeSlab(size);
    }
    if (slab == null) {
      log.warn("{}: the system has no further {} bytes to give", this, size);
      return null;
    }
    slabBytes += slab.bytes();
    Region region = new Region(slab);
    regions.add(region);
    return region;
  }

  private void drop(Region region) {
    slabBytes -= region.slab.bytes();
    region.slab.free();
  }

  private static long roundUp(long length) {
    return (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  @Override
  public final long capacityBytes() {
    return capacity;
  }

  @Override
  public final long leasedBytes() {
    synchronized (lock) {
      return leasedBytes;
    }
  }

  @Override
  public final int leases() {
    synchronized (lock) {
      return leases;
    }
  }

  @Override
  public final void close() {
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      if (leases > 0) {
        log.warn(
            "{} is closed with {} leases out; their memory is freed when they come back",
            this,
            leases);
      }
      for (Iterator<Region> it = regions.iterator(); it.hasNext(); ) {
        Region region = it.next();
        if (region.isUnused()) {
          drop(region);
          it.remove();
        }
      }
    }
  }

  /** Names the memory, its cap and what is leased. */
  @Override
  public final String toString() {
    synchronized (lock) {
      return getClass().getSimpleName()
          + "[capacity="
          + capacity
          + ", leased="
          + leasedBytes
          + ", leases="
          + leases
          + (closed ? ", closed]" : "]");
    }
  }

  /** A slab and its free ranges. Guarded by the memory's lock. */
  static final class Region {

    final Slab slab;

    /** Free ranges: size by offset; neighbours are always joined. */
    private final TreeMap<Long, Long> free = new TreeMap<>();

    Region(Slab slab) {
      this.slab = slab;
      free.put(0L, slab.bytes());
    }

    boolean isUnused() {
      Long all = free.get(0L);
      return all != null && all == slab.bytes();
    }

    /** The smallest free range that holds {@code size}, or null. */
    private Map.@Nullable Entry<Long, Long> smallest(long size) {
      Map.Entry<Long, Long> best = null;
      for (Map.Entry<Long, Long> range : free.entrySet()) {
        if (range.getValue() >= size && (best == null || range.getValue() < best.getValue())) {
          best = range;
        }
      }
      return best;
    }

    /** Size of the smallest free range that holds {@code size}, or -1. */
    long smallestFit(long size) {
      Map.Entry<Long, Long> fit = smallest(size);
      return fit == null ? -1 : fit.getValue();
    }

    long take(long size) {
      Map.Entry<Long, Long> fit = smallest(size);
      if (fit == null) {
        throw new IllegalStateException("no free range of " + size + " bytes");
      }
      long offset = fit.getKey();
      long rest = fit.getValue() - size;
      free.remove(offset);
      if (rest > 0) {
        free.put(offset + size, rest);
      }
      return offset;
    }

    void giveBack(long offset, long size) {
      long start = offset;
      long bytes = size;
      Map.Entry<Long, Long> before = free.lowerEntry(offset);
      if (before != null && before.getKey() + before.getValue() == offset) {
        start = before.getKey();
        bytes += before.getValue();
      }
      Long after = free.remove(offset + size);
      if (after != null) {
        bytes += after;
      }
      free.put(start, bytes);
    }
  }
}
