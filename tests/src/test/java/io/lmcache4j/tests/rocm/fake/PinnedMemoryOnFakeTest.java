/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.rocm.HipDevice;
import io.lmcache4j.rocm.HostMemoryException;
import io.lmcache4j.rocm.PinnedMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@FakeGpu
class PinnedMemoryOnFakeTest {

  private static final int MIB = 1 << 20;
  private static final String NAME = "lmcache4j_test_" + ProcessHandle.current().pid();
  private static final Path FILE = Path.of("/dev/shm", NAME);

  private final FakeHip fake = FakeHip.install();

  /** The three ways to pinned memory, and what the runtime counts them as. */
  @SuppressWarnings("ImmutableEnumChecker") // Each function is a constant without state.
  enum Kind {
    ALLOCATED("live_host", PinnedMemory::allocate),
    ON_NODE("live_registered", PinnedMemory::onNode),
    SHARED("live_registered", (device, bytes) -> PinnedMemory.shared(device, NAME, bytes));

    private final String counter;
    private final BiFunction<HipDevice, Long, PinnedMemory> take;

    Kind(String counter, BiFunction<HipDevice, Long, PinnedMemory> take) {
      this.counter = counter;
      this.take = take;
    }

    PinnedMemory take(HipDevice device, long bytes) {
      return take.apply(device, bytes);
    }
  }

  @BeforeEach
  void twoDevices() {
    fake.set("devices", 2);
  }

  @AfterEach
  void nothingIsLeft() {
    fake.heal();
    fake.set("host_bytes", 0);
    Leaks.none(fake);
    assertThat(FILE).doesNotExist();
  }

  @ParameterizedTest
  @EnumSource
  void all_of_it_is_pinned_at_once_and_given_back_at_close(Kind kind) {
    PinnedMemory memory = kind.take(fake.device(0), 8 * MIB);

    assertThat(memory.isPinned()).isTrue();
    assertThat(memory.pinnedBytes()).isEqualTo(8 * MIB);
    assertThat(memory.capacityBytes()).isEqualTo(8 * MIB);
    assertThat(fake.count("host_bytes")).isEqualTo(8 * MIB);
    assertThat(fake.count(kind.counter)).isEqualTo(1);

    memory.close();
    assertThat(fake.count(kind.counter)).isZero();
    memory.close();
  }

  @ParameterizedTest
  @EnumSource
  void every_byte_of_a_lease_can_be_written_and_none_behind_it(Kind kind) {
    try (PinnedMemory memory = kind.take(fake.device(0), 3 * MIB)) {
      List<ChunkBuffer> leases = new ArrayList<>();
      for (int length : new int[] {MIB - 1, 1, MIB, 4097}) {
        ChunkBuffer lease = memory.tryLease(length);
        assertThat(lease).isNotNull();
        assertThat(lease.address() % HostMemory.ALIGNMENT).isZero();
        assertThat(lease.isPinned()).isTrue();
        ByteBuffer view = lease.nio();
        assertThat(view.remaining()).isEqualTo(length);
        while (view.hasRemaining()) {
          view.put((byte) length);
        }
        leases.add(lease);
      }
      leases.forEach(ChunkBuffer::release);
    }
  }

  @ParameterizedTest
  @EnumSource
  void a_lease_outlives_the_close_and_frees_the_memory_when_it_comes_back(Kind kind) {
    PinnedMemory memory = kind.take(fake.device(0), MIB);
    ChunkBuffer lease = memory.tryLease(MIB);
    assertThat(lease).isNotNull();

    memory.close();
    assertThat(fake.count(kind.counter)).isEqualTo(1);
    lease.nio().put(0, (byte) 1);
    lease.release();

    Awaitility.await().until(() -> fake.count(kind.counter) == 0);
    Awaitility.await().until(() -> Files.notExists(FILE));
  }

  @ParameterizedTest
  @EnumSource
  void memory_belongs_to_the_device_it_was_taken_for(Kind kind) {
    try (PinnedMemory memory = kind.take(fake.device(1), MIB)) {
      ChunkBuffer lease = memory.tryLease(MIB);
      assertThat(lease).isNotNull();
      assertThat(fake.deviceOf(lease.address())).isEqualTo(1);
      lease.release();
    }
  }

  @Test
  void what_is_above_the_runtimes_limit_is_unpinned() {
    fake.set("host_bytes", 80 * MIB);
    try (PinnedMemory memory = PinnedMemory.allocate(fake.device(0), 192L * MIB)) {
      assertThat(memory.isPinned()).isFalse();
      assertThat(memory.capacityBytes()).isEqualTo(192L * MIB);
      // Halves are tried down to 64 MiB.
      assertThat(memory.pinnedBytes()).isBetween(64L * MIB, 80L * MIB);
      ChunkBuffer first = memory.tryLease(64 * MIB);
      ChunkBuffer second = memory.tryLease(64 * MIB);
      assertThat(first).isNotNull();
      assertThat(second).isNotNull();
      assertThat(List.of(first.isPinned(), second.isPinned())).containsOnlyOnce(true);
      first.release();
      second.release();
    }
  }

  @ParameterizedTest
  @EnumSource
  void a_runtime_that_pins_nothing_leaves_all_of_it_unpinned(Kind kind) {
    fake.injectAlways("hipHostMalloc", FakeHip.OUT_OF_MEMORY);
    fake.injectAlways("hipHostRegister", FakeHip.OUT_OF_MEMORY);
    try (PinnedMemory memory = kind.take(fake.device(0), MIB)) {
      assertThat(memory.isPinned()).isFalse();
      assertThat(memory.pinnedBytes()).isZero();
      ChunkBuffer lease = memory.tryLease(MIB);
      assertThat(lease).isNotNull();
      assertThat(lease.isPinned()).isFalse();
      lease.nio().put(MIB - 1, (byte) 1);
      lease.release();
    }
  }

  @Test
  void another_process_sees_a_lease_of_shared_memory_at_its_offset() throws IOException {
    try (PinnedMemory memory = PinnedMemory.shared(fake.device(0), NAME, 2 * MIB)) {
      ChunkBuffer first = memory.tryLease(MIB);
      ChunkBuffer second = memory.tryLease(MIB);
      assertThat(first).isNotNull();
      assertThat(second).isNotNull();
      first.nio().put(7, (byte) 1);
      second.nio().put(7, (byte) 2);

      byte[] file = Files.readAllBytes(FILE);

      assertThat(file).hasSize(2 * MIB);
      assertThat(file[(int) memory.offsetOf(first) + 7]).isEqualTo((byte) 1);
      assertThat(file[(int) memory.offsetOf(second) + 7]).isEqualTo((byte) 2);
      first.release();
      second.release();
    }
  }

  @Test
  void shared_memory_of_another_is_not_taken_over() throws IOException {
    Files.write(FILE, new byte[] {1});
    try {
      assertThatThrownBy(() -> PinnedMemory.shared(fake.device(0), NAME, MIB))
          .isInstanceOf(HostMemoryException.class)
          .hasMessageContaining(NAME);
      assertThat(Files.readAllBytes(FILE)).containsExactly(1);
    } finally {
      Files.delete(FILE);
    }
  }
}
