/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.wire;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that lease whatever memory has become free, write their own words into it and look
 * whether they stay: whoever still writes into a buffer that was given back is found out.
 */
final class Squatters implements AutoCloseable {

  private final HostMemory memory;
  private final int length;
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicLong leases = new AtomicLong();
  private final AtomicLong disturbed = new AtomicLong();
  private volatile boolean stopped;

  Squatters(HostMemory memory, int length, int count) {
    this.memory = memory;
    this.length = length;
    for (int i = 0; i < count; i++) {
      long word = Words.OWN + i;
      Thread thread = new Thread(() -> squat(word), "squatter-" + i);
      threads.add(thread);
      thread.start();
    }
  }

  private void squat(long word) {
    for (long n = word; !stopped; n += threads.size() + 1) {
      ChunkBuffer lease = memory.tryLease(length);
      if (lease == null) {
        LockSupport.parkNanos(1_000);
        continue;
      }
      leases.incrementAndGet();
      ByteBuffer bytes = lease.nio();
      Words.fill(bytes, n);
      for (int looks = 0; looks < 3; looks++) {
        LockSupport.parkNanos(1_000);
        if (!Words.only(bytes).equals(OptionalLong.of(n))) {
          disturbed.incrementAndGet();
          break;
        }
      }
      lease.release();
      LockSupport.parkNanos(1_000);
    }
  }

  long leases() {
    return leases.get();
  }

  /** How many leases somebody else has written into. */
  long disturbed() {
    return disturbed.get();
  }

  @Override
  public void close() {
    stopped = true;
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted waiting for the squatters", e);
    }
  }
}
