/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PinnedMemoryTest {

  private static final long MIB = 1 << 20;

  private final FakeHip hip = new FakeHip();

  @AfterEach
  void everythingWasGivenBackAsItShouldBe() {
    assertThat(hip.violations()).isEmpty();
    assertThat(hip.live()).containsEntry("pinned", 0).containsEntry("registered", 0);
  }

  private static ChunkBuffer lease(HostMemory memory, int bytes) {
    return requireNonNull(memory.tryLease(bytes), "no lease");
  }

  private PinnedMemory malloc(long capacity, long slab) {
    HipDevice device = hip.device();
    return PinnedMemory.take(device, new SlabSource.Malloc(device), capacity, slab);
  }

  @Test
  void takesAllItsMemoryWhenItIsCreatedAndNothingLater() {
    try (PinnedMemory memory = malloc(8 * MIB, 2 * MIB)) {
      assertThat(hip.calls()).filteredOn("hostMalloc"::equals).hasSize(4);
      int before = hip.calls().size();
      for (int i = 0; i < 4; i++) {
        lease(memory, (int) (2 * MIB)).close();
      }
      assertThat(hip.calls()).hasSize(before);
      assertThat(memory.isPinned()).isTrue();
      assertThat(memory.pinnedBytes()).isEqualTo(8 * MIB);
      assertThat(memory.capacityBytes()).isEqualTo(8 * MIB);
    }
    assertThat(hip.calls()).filteredOn("hostFree"::equals).hasSize(4);
  }

  @Test
  void leasesArePinnedAlignedAndAsLongAsAskedFor() {
    try (PinnedMemory memory = PinnedMemory.allocate(hip.device(), MIB);
        ChunkBuffer first = lease(memory, 5000);
        ChunkBuffer second = lease(memory, 1)) {
      assertThat(first.isPinned()).isTrue();
      assertThat(first.length()).isEqualTo(5000);
      assertThat(first.address() % HostMemory.ALIGNMENT).isZero();
      assertThat(second.address()).isEqualTo(first.address() + 8192);
      assertThat(memory.leasedBytes()).isEqualTo(3 * HostMemory.ALIGNMENT);
      first.nio().putLong(0, 0x0102030405060708L);
      assertThat(first.netty().memoryAddress()).isEqualTo(first.address());
      assertThat(first.release()).isFalse();
    }
  }

  @Test
  void noLeaseSpansTwoSlabs() {
    try (PinnedMemory memory = malloc(4 * MIB, 2 * MIB)) {
      assertThat(memory.tryLease((int) (3 * MIB))).isNull();
      try (ChunkBuffer first = lease(memory, (int) (3 * MIB / 2));
          ChunkBuffer second = lease(memory, (int) (3 * MIB / 2))) {
        assertThat(memory.tryLease((int) MIB)).isNull();
        assertThat(Math.abs(first.address() - second.address())).isGreaterThanOrEqualTo(2 * MIB);
      }
    }
  }

  @Test
  void slabsThatNobodyUsesAreNotGivenToTheRuntimeToMakeRoom() {
    try (PinnedMemory memory = malloc(4 * MIB, 2 * MIB)) {
      ChunkBuffer small = lease(memory, 1);
      ChunkBuffer large = lease(memory, (int) (2 * MIB));
      large.close();
      assertThat(memory.tryLease((int) (4 * MIB))).isNull();
      assertThat(hip.calls()).doesNotContain("hostFree");
      lease(memory, (int) (2 * MIB)).close();
      small.close();
    }
  }

  @Test
  void isFreedByTheLastLeaseWhenThatComesBackAfterTheClose() {
    HipDevice device = hip.device();
    PinnedMemory memory = PinnedMemory.take(device, new SlabSource.Malloc(device), 2 * MIB, MIB);
    ChunkBuffer held = lease(memory, 100);
    held.nio().put(0, (byte) 7);
    memory.close();
    memory.close();
    assertThat(hip.live()).containsEntry("pinned", 1);
    assertThat(held.nio().get(0)).isEqualTo((byte) 7);
    assertThatThrownBy(() -> memory.tryLease(1)).isInstanceOf(IllegalStateException.class);
    held.close();
    device.settle();
    assertThat(hip.live()).containsEntry("pinned", 0);
  }

  @Test
  void whatThereIsNoPinnedMemoryForIsUnpinned() {
    hip.limitPinned(3 * MIB);
    try (PinnedMemory memory = malloc(4 * MIB, 2 * MIB)) {
      assertThat(memory.isPinned()).isFalse();
      assertThat(memory.pinnedBytes()).isEqualTo(2 * MIB);
      assertThat(memory.capacityBytes()).isEqualTo(4 * MIB);
      try (ChunkBuffer one = lease(memory, (int) (2 * MIB));
          ChunkBuffer other = lease(memory, (int) (2 * MIB))) {
        assertThat(one.isPinned()).isNotEqualTo(other.isPinned());
        one.nio().put(0, (byte) 1);
        other.nio().put(0, (byte) 1);
      }
    }
  }

  @Test
  void smallerSlabsAreTriedBeforeMemoryIsLeftUnpinned() {
    hip.limitPinned(200 * MIB);
    try (PinnedMemory memory = malloc(256 * MIB, 256 * MIB)) {
      assertThat(memory.pinnedBytes()).isEqualTo(192 * MIB);
    }
  }

  @Test
  void theSmallestSlabIsTriedEvenWhereHalvingWouldPassItBy() {
    hip.limitPinned(80 * MIB);
    try (PinnedMemory memory = malloc(192 * MIB, 192 * MIB)) {
      assertThat(memory.pinnedBytes()).isEqualTo(64 * MIB);
    }
  }

  @Test
  void mappedPagesAreRegisteredAndUnregistered() {
    try (PinnedMemory memory = PinnedMemory.onNode(hip.device(), MIB);
        ChunkBuffer lease = lease(memory, 10)) {
      assertThat(lease.isPinned()).isTrue();
      lease.nio().put(0, (byte) 1);
      assertThat(hip.live()).containsEntry("registered", 1);
      assertThat(hip.calls()).doesNotContain("hostMalloc");
    }
  }

  @Test
  void pagesThatCannotBeRegisteredAreLeftUnpinned() {
    hip.fail("hostRegister", 1, HipErrors.OUT_OF_MEMORY);
    try (PinnedMemory memory = PinnedMemory.onNode(hip.device(), MIB);
        ChunkBuffer lease = lease(memory, 10)) {
      assertThat(lease.isPinned()).isFalse();
      lease.nio().put(0, (byte) 1);
    }
  }

  @Test
  void pagesAreBoundToTheDevicesNode() {
    // Node 0 exists everywhere; a container may forbid the call, which must not matter.
    long address = Libc.mmap(0, MIB, Libc.PROT_READ_WRITE, Libc.MAP_PRIVATE_ANONYMOUS, -1, 0);
    assertThat(Libc.bindToNode(address, MIB, 0) || !Libc.lastError().isEmpty()).isTrue();
    assertThat(Libc.bindToNode(address, MIB, 5000)).isFalse();
    assertThat(Libc.munmap(address, MIB)).isZero();
  }

  @Test
  void sharedMemoryIsSeenUnderItsNameAndOffset() throws IOException {
    String name = "lmcache4j-test-" + UUID.randomUUID();
    Path file = Path.of("/dev/shm", name);
    try (PinnedMemory memory = PinnedMemory.shared(hip.device(), name, MIB);
        ChunkBuffer first = lease(memory, 4097);
        ChunkBuffer second = lease(memory, 8)) {
      assertThat(memory.isPinned()).isTrue();
      assertThat(Files.size(file)).isEqualTo(MIB);
      assertThat(Files.getPosixFilePermissions(file)).hasSize(2);
      assertThat(memory.offsetOf(first)).isZero();
      assertThat(memory.offsetOf(second)).isEqualTo(8192);
      second.nio().put(0, (byte) 42);
      try (RandomAccessFile other = new RandomAccessFile(file.toFile(), "r")) {
        other.seek(8192);
        assertThat(other.read()).isEqualTo(42);
      }
      assertThatThrownBy(() -> PinnedMemory.shared(hip.device(), name, MIB))
          .isInstanceOf(HostMemoryException.class)
          .hasMessageContaining(name)
          .hasMessageContaining("File exists");
    }
    assertThat(file).doesNotExist();
  }

  @Test
  void sharedMemoryThatCannotBeRegisteredIsLeftUnpinned() {
    hip.fail("hostRegister", 1, HipErrors.OUT_OF_MEMORY);
    String name = "lmcache4j-test-" + UUID.randomUUID();
    try (PinnedMemory memory = PinnedMemory.shared(hip.device(), name, MIB)) {
      assertThat(memory.isPinned()).isFalse();
      lease(memory, (int) MIB).close();
    }
    assertThat(Path.of("/dev/shm", name)).doesNotExist();
  }

  @Test
  void sharedMemoryIsRefusedRatherThanWrittenToWhereThereIsNoRoom() throws IOException {
    String name = "lmcache4j-test-" + UUID.randomUUID();
    long tooMuch = Files.getFileStore(Path.of("/dev/shm")).getTotalSpace() + (1L << 30);
    assertThatThrownBy(() -> PinnedMemory.shared(null, name, tooMuch))
        .isInstanceOf(HostMemoryException.class)
        .hasMessageContaining("No space left");
    assertThat(Path.of("/dev/shm", name)).doesNotExist();
  }

  @Test
  void namesOfSharedMemoryAreChecked() {
    for (String name : new String[] {"", "/", "a/b", "../x", "a\0b"}) {
      assertThatThrownBy(() -> PinnedMemory.shared(null, name, MIB))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void withoutADeviceTheSameLeasesAreUnpinned() {
    try (PinnedMemory memory = PinnedMemory.allocate(null, MIB);
        ChunkBuffer lease = lease(memory, 5000)) {
      assertThat(memory.isPinned()).isFalse();
      assertThat(lease.isPinned()).isFalse();
      assertThat(lease.address() % HostMemory.ALIGNMENT).isZero();
      assertThat(memory.capacityBytes()).isEqualTo(MIB);
      assertThatThrownBy(() -> memory.offsetOf(lease)).isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(hip.calls()).isEmpty();
  }

  @Test
  void capacityBelowAPageIsRefused() {
    assertThatThrownBy(() -> PinnedMemory.allocate(hip.device(), 4095))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4095");
  }
}
