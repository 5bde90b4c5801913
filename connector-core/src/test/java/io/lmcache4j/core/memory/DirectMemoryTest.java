/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DirectMemoryTest {

  private static final int PAGE = HostMemory.ALIGNMENT;

  private static ChunkBuffer lease(HostMemory memory, int length) {
    ChunkBuffer lease = memory.tryLease(length);
    assertThat(lease).as("lease of %d bytes from %s", length, memory).isNotNull();
    return java.util.Objects.requireNonNull(lease);
  }

  @Test
  void leasesAreAlignedAndExactlyAsLongAsAskedFor() {
    try (DirectMemory memory = DirectMemory.create(1 << 20)) {
      for (int length : new int[] {0, 1, 4095, 4096, 4097, 100_000}) {
        try (ChunkBuffer lease = lease(memory, length)) {
          assertThat(lease.address() % PAGE).isZero();
          assertThat(lease.length()).isEqualTo(length);
          assertThat(lease.nio().remaining()).isEqualTo(length);
          assertThat(lease.nio().order()).isEqualTo(ByteOrder.nativeOrder());
          assertThat(lease.isPinned()).isFalse();
        }
      }
      assertThat(memory.leases()).isZero();
      assertThat(memory.leasedBytes()).isZero();
    }
  }

  @Test
  void viewsShowTheSameBytesAtTheSameAddress() {
    try (DirectMemory memory = DirectMemory.create(1 << 20);
        ChunkBuffer lease = lease(memory, 64)) {
      lease.nio().putInt(8, 0x01020304);
      ByteBuf netty = lease.netty();
      assertThat(netty.getIntLE(8)).isEqualTo(0x01020304);
      assertThat(netty.memoryAddress()).isEqualTo(lease.address());
      assertThat(netty.readableBytes()).isEqualTo(64);
      netty.release();
    }
  }

  @Test
  void exhaustionIsAnOutcome() {
    try (DirectMemory memory = DirectMemory.create(4 * PAGE)) {
      ChunkBuffer a = lease(memory, 2 * PAGE);
      ChunkBuffer b = lease(memory, 2 * PAGE);
      assertThat(memory.tryLease(1)).isNull();
      a.release();
      assertThat(memory.tryLease(2 * PAGE + 1)).isNull();
      lease(memory, 2 * PAGE).release();
      b.release();
      assertThat(memory.tryLease(4 * PAGE + 1)).isNull();
      lease(memory, 4 * PAGE).release();
    }
  }

  @Test
  void theSystemsExhaustionIsAnOutcomeToo() {
    try (DirectMemory memory = DirectMemory.create(Long.MAX_VALUE / 2)) {
      List<ChunkBuffer> held = new ArrayList<>();
      @Nullable ChunkBuffer lease;
      // Netty's own limit is far below this cap; the pages are never touched.
      while ((lease = memory.tryLease(1 << 30)) != null) {
        held.add(lease);
        assertThat(held.size()).isLessThan(10_000);
      }
      held.forEach(ChunkBuffer::release);
    }
  }

  @Test
  void neighboursJoinWhenTheyComeBack() {
    try (DirectMemory memory = DirectMemory.create(8 * PAGE)) {
      List<ChunkBuffer> pages = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        pages.add(lease(memory, PAGE));
      }
      Collections.shuffle(pages, new Random(1));
      pages.forEach(ChunkBuffer::release);
      lease(memory, 8 * PAGE).release();
    }
  }

  @Test
  void unusedSlabsAreGivenBackWhenTheCapIsInTheWay() {
    try (DirectMemory memory = DirectMemory.create(512L << 20)) {
      // A slab of 256 MiB each; a lease of 400 MiB fits neither and not beside them.
      ChunkBuffer a = lease(memory, 200 << 20);
      ChunkBuffer b = lease(memory, 200 << 20);
      a.release();
      b.release();
      lease(memory, 400 << 20).release();
    }
  }

  @Test
  void everyUseAfterTheLastReleaseFails() {
    try (DirectMemory memory = DirectMemory.create(1 << 20)) {
      ChunkBuffer lease = lease(memory, 10);
      lease.retain();
      assertThat(lease.release()).isFalse();
      assertThat(lease.release()).isTrue();
      assertThatThrownBy(lease::release).isInstanceOf(LeaseReleasedException.class);
      assertThatThrownBy(lease::retain).isInstanceOf(LeaseReleasedException.class);
      assertThatThrownBy(lease::nio).isInstanceOf(LeaseReleasedException.class);
      assertThatThrownBy(lease::netty).isInstanceOf(LeaseReleasedException.class);
      assertThatThrownBy(lease::address).isInstanceOf(LeaseReleasedException.class);
      assertThat(memory.leases()).isZero();
    }
  }

  @Test
  void aNettyViewKeepsTheLeaseUntilItsLastSliceIsReleased() {
    try (DirectMemory memory = DirectMemory.create(1 << 20)) {
      ChunkBuffer lease = lease(memory, 100);
      ByteBuf view = lease.netty();
      lease.release();
      ByteBuf slice = view.retainedSlice(10, 20);
      view.release();
      assertThat(memory.leases()).isEqualTo(1);
      slice.release();
      assertThat(memory.leases()).isZero();
    }
  }

  @Test
  void releasedBytesAreOverwrittenUnderTest() {
    try (DirectMemory memory = DirectMemory.create(1 << 20)) {
      ChunkBuffer lease = lease(memory, 16);
      ByteBuffer late = lease.nio();
      late.putLong(0, 42);
      lease.release();
      assertThat(late.getLong(0)).isNotEqualTo(42);
    }
  }

  @Test
  void memoryOutlivesItsCloseUntilTheLastLeaseIsBack() {
    DirectMemory memory = DirectMemory.create(1 << 20);
    ChunkBuffer lease = lease(memory, 8);
    memory.close();
    memory.close();
    lease.nio().putLong(0, 7);
    assertThat(lease.nio().getLong(0)).isEqualTo(7);
    lease.release();
    assertThatThrownBy(() -> memory.tryLease(1)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void badArgumentsAreRefused() {
    try (DirectMemory memory = DirectMemory.create(PAGE)) {
      assertThatThrownBy(() -> memory.tryLease(-1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("-1");
    }
    assertThatThrownBy(() -> DirectMemory.create(PAGE - 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4095");
  }

  @Test
  void manyThreadsNeverShareBytes() throws Exception {
    long seed = 20261124;
    try (DirectMemory memory = DirectMemory.create(8 << 20)) {
      ExecutorService pool = Executors.newFixedThreadPool(8);
      List<Future<?>> jobs = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        int id = t;
        jobs.add(
            pool.submit(
                () -> {
                  Random random = new Random(seed + id);
                  for (int i = 0; i < 2000; i++) {
                    ChunkBuffer lease = memory.tryLease(1 + random.nextInt(100_000));
                    if (lease == null) {
                      continue;
                    }
                    ByteBuffer bytes = lease.nio();
                    byte mark = (byte) (id * 31 + i);
                    bytes.put(0, mark).put(bytes.limit() - 1, mark);
                    Thread.onSpinWait();
                    assertThat(bytes.get(0)).isEqualTo(mark);
                    assertThat(bytes.get(bytes.limit() - 1)).isEqualTo(mark);
                    lease.release();
                  }
                  return null;
                }));
      }
      for (Future<?> job : jobs) {
        job.get();
      }
      pool.shutdown();
      assertThat(memory.leases()).isZero();
      assertThat(memory.leasedBytes()).isZero();
    }
  }
}
