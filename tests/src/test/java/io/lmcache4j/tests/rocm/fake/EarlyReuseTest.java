/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.rocm.CopyEngine;
import io.lmcache4j.rocm.CopyTimes;
import io.lmcache4j.rocm.DeviceBuffer;
import io.lmcache4j.rocm.PinnedMemory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A copy engine reads its source when it gets to it. The first two tests break the rule that host
 * bytes are left alone until then, on purpose: were the fake to copy at once, neither mistake would
 * show, and what the other tests say of leases would prove nothing.
 */
@FakeGpu
class EarlyReuseTest {

  private static final int BYTES = 1 << 20;

  private final FakeHip fake = FakeHip.install();
  private PinnedMemory memory;
  private DeviceBuffer buffer;
  private CopyEngine engine;

  @BeforeEach
  void open() {
    memory = PinnedMemory.allocate(fake.device(0), BYTES);
    buffer = fake.device(0).allocate(BYTES);
    engine = CopyEngine.open(fake.device(0));
  }

  @AfterEach
  void close() {
    fake.release();
    engine.close();
    buffer.close();
    memory.close();
    Leaks.none(fake);
  }

  @Test
  void bytes_changed_before_the_copy_ran_are_what_the_device_gets() {
    ChunkBuffer lease = lease((byte) 1);
    fake.hold();
    CompletableFuture<CopyTimes> copy = engine.toDevice(lease, List.of(buffer.range()));
    awaitIssued();

    // The mistake: the copy was asked for and given to the runtime, and has not run.
    fill(lease, (byte) 2);
    fake.release();
    copy.join();

    assertThat(fake.peek(buffer, 0, BYTES)).isEqualTo(filled((byte) 2));
    lease.release();
  }

  @Test
  void bytes_read_before_the_copy_ran_are_not_those_of_the_device() {
    fake.poke(buffer, 0, filled((byte) 3));
    ChunkBuffer lease = lease((byte) 1);
    fake.hold();
    CompletableFuture<CopyTimes> copy = engine.toHost(List.of(buffer.range()), lease);
    awaitIssued();

    // The mistake, the other way round.
    byte[] early = read(lease);
    fake.release();
    copy.join();

    assertThat(early).isEqualTo(filled((byte) 1));
    assertThat(read(lease)).isEqualTo(filled((byte) 3));
    lease.release();
  }

  @Test
  void a_lease_given_back_at_once_is_not_leased_again_before_the_copy_is_over() {
    ChunkBuffer lease = lease((byte) 1);
    fake.hold();
    CompletableFuture<CopyTimes> copy = engine.toDevice(lease, List.of(buffer.range()));
    lease.release();
    awaitIssued();

    assertThat(memory.tryLease(BYTES)).isNull();
    fake.release();
    copy.join();

    ChunkBuffer next = lease((byte) 2);
    assertThat(fake.peek(buffer, 0, BYTES)).isEqualTo(filled((byte) 1));
    next.release();
  }

  @Test
  void a_cancelled_copy_keeps_its_lease_until_the_device_is_done_with_it() {
    ChunkBuffer lease = lease((byte) 1);
    fake.hold();
    CompletableFuture<CopyTimes> copy = engine.toDevice(lease, List.of(buffer.range()));
    lease.release();
    awaitIssued();

    assertThat(copy.cancel(true)).isTrue();

    assertThat(memory.tryLease(BYTES)).isNull();
    fake.release();
    Awaitility.await().until(() -> memory.leases() == 0);
    assertThat(fake.peek(buffer, 0, BYTES)).isEqualTo(filled((byte) 1));
  }

  private void awaitIssued() {
    Awaitility.await().until(() -> fake.count("pending") > 0);
  }

  private ChunkBuffer lease(byte content) {
    ChunkBuffer lease = memory.tryLease(BYTES);
    assertThat(lease).isNotNull();
    fill(lease, content);
    return lease;
  }

  private static void fill(ChunkBuffer lease, byte content) {
    lease.nio().put(filled(content));
  }

  private static byte[] filled(byte content) {
    byte[] bytes = new byte[BYTES];
    Arrays.fill(bytes, content);
    return bytes;
  }

  private static byte[] read(ChunkBuffer lease) {
    ByteBuffer view = lease.nio();
    byte[] bytes = new byte[view.remaining()];
    view.get(bytes);
    return bytes;
  }
}
