/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.memory.Slab;
import io.lmcache4j.core.memory.SlabMemory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Host memory that a GPU's copy engine can reach by itself.
 *
 * <p><b>All at once.</b> The whole capacity is taken when the memory is created and given back when
 * it is closed and the last lease has come back. Pinning a page costs, and giving pinned memory
 * back waits for everything the device has to do; neither must happen on an event loop, which is
 * where leases are taken. Slabs are of 1 GiB at most, and a lease is never larger than its slab,
 * since a copy must not span two registrations.
 *
 * <p><b>What cannot be pinned.</b> When the runtime has no pinned memory left, smaller slabs are
 * tried, and what is still missing is taken unpinned, so that the capacity is as asked for. {@link
 * #isPinned()} is false then, {@link #pinnedBytes()} tells how much is, each lease knows for
 * itself, and one warning is logged. Without a device all of it is unpinned: copies are correct,
 * and slower.
 *
 * <p>Page locking counts for one process. Another one that maps the same shared memory has to
 * register it again for its own copies.
 *
 * <p>Safe for use by many threads.
 */
public final class PinnedMemory implements HostMemory {

  private static final Logger log = LoggerFactory.getLogger(PinnedMemory.class);

  private static final long LARGEST_SLAB = 1L << 30;

  /** Below this no smaller slab is tried; LMCache too pins 64 MiB at a time. */
  static final long SMALLEST_SLAB = 64L << 20;

  private final @Nullable HipDevice device;
  private final List<NativeSlab> slabs;
  private final HostMemory leases;
  private final long pinnedBytes;

  /** Slabs that no lease is on. Guarded by itself, as {@link #closed} is. */
  private final List<NativeSlab> idle;

  private boolean closed;

  private PinnedMemory(
      @Nullable HipDevice device, List<NativeSlab> slabs, @Nullable HostMemory leases) {
    this.device = device;
    this.slabs = List.copyOf(slabs);
    this.idle = new ArrayList<>(slabs);
    long total = 0;
    long pinned = 0;
    for (NativeSlab slab : slabs) {
      total += slab.bytes();
      pinned += slab.isPinned() ? slab.bytes() : 0;
    }
    this.pinnedBytes = pinned;
    this.leases = leases == null ? new PinnedSlabs(total) : leases;
  }

  /**
   * Takes memory from the runtime's own allocator ({@code hipHostMalloc}), near the device.
   *
   * @param device whose copies it is for; null for unpinned memory
   * @param capacityBytes how much, at least 4096
   * @return the memory, to be closed by the caller
   * @throws HostMemoryException if the system does not even have as much unpinned memory
   */
  public static PinnedMemory allocate(@Nullable HipDevice device, long capacityBytes) {
    return device == null
        ? direct(capacityBytes)
        : take(device, new SlabSource.Malloc(device), capacityBytes, LARGEST_SLAB);
  }

  /**
   * Maps pages on the device's NUMA node and registers them ({@code hipHostRegister}). Where pages
   * cannot be bound, which containers often forbid, they come from where the kernel likes.
   *
   * @param device whose copies it is for; null for unpinned memory
   * @param capacityBytes how much, at least 4096
   * @return the memory, to be closed by the caller
   * @throws HostMemoryException if the system does not even have as much unpinned memory
   */
  public static PinnedMemory onNode(@Nullable HipDevice device, long capacityBytes) {
    return device == null
        ? direct(capacityBytes)
        : take(device, new SlabSource.Numa(device), capacityBytes, LARGEST_SLAB);
  }

  /**
   * Creates a POSIX shared memory object and registers it, as LMCache's multi-process mode does
   * ({@code alloc_shm_pinned_ptr}, LMCache 0.5.6). It is one slab whatever its size, only its owner
   * may open it, and it is removed at close. Where a lease begins for another process is told by
   * {@link #offsetOf}.
   *
   * @param device whose copies it is for; null to leave it unpinned
   * @param name the object's name, as in {@code /dev/shm}; must not exist
   * @param capacityBytes how much, at least 4096
   * @return the memory, to be closed by the caller
   * @throws HostMemoryException if the name is taken or {@code /dev/shm} has no room, or if native
   *     code cannot be called
   */
  public static PinnedMemory shared(@Nullable HipDevice device, String name, long capacityBytes) {
    String bare = name.startsWith("/") ? name.substring(1) : name;
    if (bare.isEmpty() || bare.indexOf('/') >= 0 || bare.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("no name of a shared memory object: \"" + name + "\"");
    }
    try {
      return take(device, new SlabSource.Shared(device, "/" + bare), capacityBytes, LARGEST_SLAB);
    } catch (LinkageError e) {
      throw new HostMemoryException("shared memory needs native access, which failed", e);
    }
  }

  private static PinnedMemory direct(long capacityBytes) {
    log.warn("no GPU runtime: {} bytes of host memory are not pinned", capacityBytes);
    return new PinnedMemory(null, List.of(), DirectMemory.create(capacityBytes));
  }

  static PinnedMemory take(
      @Nullable HipDevice device, SlabSource source, long capacityBytes, long largestSlab) {
    if (capacityBytes < ALIGNMENT) {
      throw new IllegalArgumentException(
          "capacity " + capacityBytes + " bytes is below one page of " + ALIGNMENT);
    }
    long capacity = capacityBytes / ALIGNMENT * ALIGNMENT;
    Supplier<List<NativeSlab>> fill = () -> fill(device, source, capacity, largestSlab);
    List<NativeSlab> slabs = device == null ? fill.get() : device.call(fill);
    return new PinnedMemory(device, slabs, null);
  }

  private static List<NativeSlab> fill(
      @Nullable HipDevice device, SlabSource source, long capacity, long largestSlab) {
    List<NativeSlab> slabs = new ArrayList<>();
    try {
      long missing = capacity;
      long largest = source.isDivisible() ? largestSlab : capacity;
      long size = largest;
      HipException refused = null;
      while (missing > 0 && device != null && refused == null) {
        size = Math.min(size, missing);
        try {
          slabs.add(source.pinned(size));
          missing -= size;
        } catch (HipException e) {
          if (size <= SMALLEST_SLAB || !source.isDivisible()) {
            refused = e;
          } else {
            size = Math.max(size / 2 / ALIGNMENT * ALIGNMENT, SMALLEST_SLAB);
          }
        }
      }
      if (missing > 0) {
        log.warn(
            "{} of {} bytes of host memory are not pinned: {}",
            missing,
            capacity,
            refused == null ? "no GPU runtime" : refused.getMessage());
      }
      while (missing > 0) {
        long unpinned = Math.min(missing, largest);
        slabs.add(source.unpinned(unpinned));
        missing -= unpinned;
      }
      return slabs;
    } catch (RuntimeException | LinkageError e) {
      slabs.forEach(slab -> slab.release().run());
      throw e;
    }
  }

  /**
   * How much of the capacity is pinned.
   *
   * @return bytes
   */
  public long pinnedBytes() {
    return pinnedBytes;
  }

  /**
   * Where a lease of {@link #shared} memory begins, for a process that has mapped the same object.
   *
   * @param lease a lease of this memory
   * @return bytes from the object's start
   * @throws IllegalArgumentException if this memory is not one piece, or the lease is not from it
   */
  public long offsetOf(ChunkBuffer lease) {
    long address = lease.address();
    if (slabs.size() == 1) {
      long offset = address - slabs.get(0).address();
      if (offset >= 0 && offset <= slabs.get(0).bytes() - lease.length()) {
        return offset;
      }
    }
    throw new IllegalArgumentException(lease + " has no offset in " + this);
  }

  @Override
  public @Nullable ChunkBuffer tryLease(int length) {
    return leases.tryLease(length);
  }

  @Override
  public long capacityBytes() {
    return leases.capacityBytes();
  }

  @Override
  public long leasedBytes() {
    return leases.leasedBytes();
  }

  @Override
  public int leases() {
    return leases.leases();
  }

  /** Whether all of the capacity is pinned. */
  @Override
  public boolean isPinned() {
    return pinnedBytes > 0 && pinnedBytes == capacityBytes();
  }

  /**
   * Refuses further leases and frees the memory, at once or when the last lease on a slab comes
   * back. Waits for what is freed at once, and so for the device. Idempotent.
   */
  @Override
  public void close() {
    List<NativeSlab> unused;
    synchronized (idle) {
      if (closed) {
        return;
      }
      closed = true;
      unused = List.copyOf(idle);
      idle.clear();
    }
    leases.close();
    unused.forEach(this::free);
    if (device != null) {
      device.settle();
    }
  }

  private void free(NativeSlab slab) {
    if (device == null) {
      slab.release().run();
    } else {
      device.later(slab.release());
    }
  }

  private @Nullable NativeSlab takeIdle(long bytes) {
    synchronized (idle) {
      NativeSlab best = null;
      for (NativeSlab slab : idle) {
        if (slab.bytes() >= bytes && (best == null || slab.bytes() < best.bytes())) {
          best = slab;
        }
      }
      if (best != null) {
        idle.remove(best);
      }
      return best;
    }
  }

  /** Called when no lease is left on a slab and somebody else may have its place. */
  private void putBack(NativeSlab slab) {
    synchronized (idle) {
      if (!closed) {
        idle.add(slab);
        return;
      }
    }
    // The last lease came back after the close, perhaps on an event loop: nobody waits here.
    free(slab);
  }

  /** Names the memory, its capacity and how much is pinned and leased. */
  @Override
  public String toString() {
    return "PinnedMemory[pinned=" + pinnedBytes + ", " + leases + "]";
  }

  /** Cuts leases out of the slabs that are there; "takes" and "frees" slabs without a call. */
  private final class PinnedSlabs extends SlabMemory {

    PinnedSlabs(long capacityBytes) {
      super(capacityBytes);
    }

    @Override
    public boolean isPinned() {
      return PinnedMemory.this.isPinned();
    }

    @Override
    protected @Nullable Slab takeSlab(long bytes) {
      NativeSlab slab = takeIdle(bytes);
      return slab == null ? null : new Taken(slab);
    }
  }

  private final class Taken implements Slab {

    private final NativeSlab slab;

    Taken(NativeSlab slab) {
      this.slab = slab;
    }

    @Override
    public long address() {
      return slab.address();
    }

    @Override
    public long bytes() {
      return slab.bytes();
    }

    @Override
    public ByteBuffer view(long offset, int length) {
      return slab.view(offset, length);
    }

    @Override
    public boolean isPinned() {
      return slab.isPinned();
    }

    @Override
    public void free() {
      putBack(slab);
    }
  }
}
