/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.bench;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;

/** What this process has used, by the JVM's and Netty's own account. */
final class ProcessMeter {

  private static final OperatingSystemMXBean SYSTEM =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  private static final ThreadMXBean THREADS =
      ManagementFactory.getPlatformMXBean(ThreadMXBean.class);

  private static final BufferPoolMXBean DIRECT_BUFFERS =
      ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
          .filter(pool -> pool.getName().equals("direct"))
          .findFirst()
          .orElseThrow();

  private ProcessMeter() {}

  /**
   * CPU time of every thread, user and system, those of the JVM included. The JVM reads it in steps
   * of 10 ms on Linux.
   */
  static long cpuNanos() {
    return SYSTEM.getProcessCpuTime();
  }

  /** Heap bytes that the threads now alive have allocated since they began. */
  static long allocatedBytes() {
    long sum = 0;
    for (long bytes : THREADS.getThreadAllocatedBytes(THREADS.getAllThreadIds())) {
      sum += Math.max(0, bytes);
    }
    return sum;
  }

  /**
   * Direct memory now held. Netty frees some of its memory by hand and the JVM does not count that;
   * what Netty counts leaves out buffers that others made. Neither is more than all, so the larger
   * is the better account.
   */
  static long directBytes() {
    long chunks = UnpooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
    return Math.max(DIRECT_BUFFERS.getMemoryUsed(), chunks + connectionBytes());
  }

  /**
   * The part of it that Netty's usual allocator holds, whose buffers the connections use. Chunk
   * memory comes from the unpooled one.
   */
  static long connectionBytes() {
    return ByteBufAllocator.DEFAULT instanceof ByteBufAllocatorMetricProvider counted
        ? counted.metric().usedDirectMemory()
        : 0;
  }
}
