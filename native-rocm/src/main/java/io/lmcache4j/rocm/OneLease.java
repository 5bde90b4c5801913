/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.memory.LeaseReleasedException;
import org.jspecify.annotations.Nullable;

/**
 * A memory of one lease that was taken beforehand, for one chunk whose size is known. A store that
 * finds another size gets nothing, before it has read a byte; and one that gets the lease cannot
 * find the memory full after the chunk is on its way.
 */
final class OneLease implements HostMemory {

  private final ChunkBuffer lease;
  private volatile long refused = -1;

  /** Borrows the lease; each that is handed out has a reference of its own. */
  OneLease(ChunkBuffer lease) {
    this.lease = lease;
  }

  @Override
  public @Nullable ChunkBuffer tryLease(int length) {
    if (length != lease.length()) {
      refused = length;
      return null;
    }
    try {
      return lease.retain();
    } catch (LeaseReleasedException e) {
      // The chunk was given up, and the store has not noticed yet.
      return null;
    }
  }

  /** The last size that was asked for and is not the lease's; -1 if none was. */
  long refused() {
    return refused;
  }

  @Override
  public long capacityBytes() {
    return lease.length();
  }

  @Override
  public long leasedBytes() {
    return lease.length();
  }

  @Override
  public int leases() {
    return 1;
  }

  @Override
  public boolean isPinned() {
    return lease.isPinned();
  }

  /** Does nothing: the lease is its owner's. */
  @Override
  public void close() {
    // Nothing is held.
  }
}
