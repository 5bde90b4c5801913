/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import org.jspecify.annotations.Nullable;

/** Somebody's own memory, made of another. */
class ForwardingMemory implements HostMemory {

  private final HostMemory memory;

  ForwardingMemory(HostMemory memory) {
    this.memory = memory;
  }

  @Override
  public @Nullable ChunkBuffer tryLease(int length) {
    return memory.tryLease(length);
  }

  @Override
  public long capacityBytes() {
    return memory.capacityBytes();
  }

  @Override
  public long leasedBytes() {
    return memory.leasedBytes();
  }

  @Override
  public int leases() {
    return memory.leases();
  }

  @Override
  public boolean isPinned() {
    return memory.isPinned();
  }

  @Override
  public void close() {
    memory.close();
  }
}
