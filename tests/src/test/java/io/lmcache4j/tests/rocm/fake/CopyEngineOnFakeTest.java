/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.rocm.CopyEngine;
import io.lmcache4j.rocm.CopyTimes;
import io.lmcache4j.rocm.DeviceBuffer;
import io.lmcache4j.rocm.DeviceRange;
import io.lmcache4j.rocm.HipException;
import io.lmcache4j.rocm.PinnedMemory;
import io.lmcache4j.tests.rocm.fake.FakeHip.Copied;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@FakeGpu
class CopyEngineOnFakeTest {

  private static final int BYTES = 64 << 10;
  private static final int INVALID_VALUE = 1;
  private static final int TO_DEVICE = 1;
  private static final int TO_HOST = 2;

  private final FakeHip fake = FakeHip.install();
  private PinnedMemory memory;

  @BeforeEach
  void open() {
    fake.set("devices", 2);
    fake.clearLog();
    memory = PinnedMemory.allocate(fake.device(0), 16L * BYTES);
  }

  @AfterEach
  void close() {
    fake.release();
    fake.set("device_bytes", 8L << 30);
    memory.close();
    fake.heal();
    Leaks.none(fake);
  }

  @Test
  void bytes_go_to_the_device_and_come_back() {
    byte[] content = random(1, BYTES);
    ChunkBuffer lease = lease(content);
    try (CopyEngine engine = CopyEngine.open(fake.device(0));
        DeviceBuffer buffer = fake.device(0).allocate(BYTES)) {
      engine.toDevice(lease, List.of(buffer.range())).join();
      assertThat(fake.peek(buffer, 0, BYTES)).isEqualTo(content);

      lease.nio().put(new byte[BYTES]);
      CopyTimes times = engine.toHost(List.of(buffer.range()), lease).join();

      assertThat(read(lease)).isEqualTo(content);
      Copied back = fake.log().get(1);
      assertThat(times.startedNanos()).isLessThanOrEqualTo(back.startedNanos());
      assertThat(times.endedNanos()).isGreaterThanOrEqualTo(back.endedNanos());
      assertThat(fake.log()).extracting(Copied::direction).containsExactly(TO_DEVICE, TO_HOST);
    }
    lease.release();
  }

  @Test
  void an_engine_copies_on_its_own_device() {
    ChunkBuffer lease = lease(random(1, BYTES));
    try (CopyEngine engine = CopyEngine.open(fake.device(1));
        DeviceBuffer buffer = fake.device(1).allocate(BYTES)) {
      assertThat(fake.deviceOf(buffer.address())).isEqualTo(1);
      long free = fake.device(1).memory().free();
      assertThat(fake.device(0).memory().free()).isEqualTo(free + BYTES);

      engine.toDevice(lease, List.of(buffer.range())).join();
      engine.toHost(List.of(buffer.range()), lease).join();

      assertThat(fake.log()).extracting(Copied::device).containsExactly(1, 1);
    }
    lease.release();
  }

  @Test
  void memory_of_another_device_is_refused_before_any_call() {
    ChunkBuffer lease = lease(random(1, BYTES));
    try (CopyEngine engine = CopyEngine.open(fake.device(0));
        DeviceBuffer other = fake.device(1).allocate(BYTES)) {
      long calls = fake.calls("hipMemcpyAsync");

      assertThatThrownBy(() -> engine.toDevice(lease, List.of(other.range())))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(fake.calls("hipMemcpyAsync")).isEqualTo(calls);
    }
    lease.release();
  }

  @Test
  void rows_are_gathered_from_the_device_and_scattered_back() {
    int width = 256;
    int pitch = 1000;
    int rows = 50;
    byte[] pages = random(1, pitch * rows);
    ChunkBuffer lease = lease(new byte[width * rows]);
    try (CopyEngine engine = CopyEngine.open(fake.device(0));
        DeviceBuffer from = fake.device(0).allocate(pages.length + 40);
        DeviceBuffer to = fake.device(0).allocate(pages.length)) {
      fake.poke(from, 40, pages);
      engine.toHost(List.of(new DeviceRange(from, 40, width, pitch, rows)), lease).join();
      byte[] dense = read(lease);
      for (int row = 0; row < rows; row++) {
        assertThat(Arrays.copyOfRange(dense, row * width, (row + 1) * width))
            .isEqualTo(Arrays.copyOfRange(pages, row * pitch, row * pitch + width));
      }

      engine.toDevice(lease, List.of(new DeviceRange(to, 0, width, pitch, rows))).join();
      for (int row = 0; row < rows; row++) {
        assertThat(fake.peek(to, (long) row * pitch, width))
            .isEqualTo(Arrays.copyOfRange(dense, row * width, (row + 1) * width));
        assertThat(fake.peek(to, (long) row * pitch + width, pitch - width))
            .containsOnly(FakeHip.POISON);
      }
    }
    lease.release();
  }

  @Test
  void blocks_of_a_paged_cache_are_put_one_behind_the_other() {
    int block = 512;
    int[] table = {7, 2, 2 + 60, 31, 0, 63, 12};
    byte[] cache = random(1, 64 * block);
    ChunkBuffer lease = lease(new byte[table.length * block]);
    try (CopyEngine engine = CopyEngine.open(fake.device(0));
        DeviceBuffer buffer = fake.device(0).allocate(cache.length)) {
      fake.poke(buffer, 0, cache);
      List<DeviceRange> ranges = new ArrayList<>();
      for (int index : table) {
        ranges.add(buffer.range((long) index * block, block));
      }

      engine.toHost(ranges, lease).join();

      byte[] dense = read(lease);
      for (int i = 0; i < table.length; i++) {
        assertThat(Arrays.copyOfRange(dense, i * block, (i + 1) * block))
            .isEqualTo(Arrays.copyOfRange(cache, table[i] * block, (table[i] + 1) * block));
      }
    }
    lease.release();
  }

  @Test
  void the_runtime_is_never_given_more_than_the_limit() {
    List<ChunkBuffer> leases = new ArrayList<>();
    List<CompletableFuture<CopyTimes>> copies = new ArrayList<>();
    try (CopyEngine engine = CopyEngine.open(fake.device(0), 1, 2L * BYTES);
        DeviceBuffer buffer = fake.device(0).allocate(6L * BYTES)) {
      long before = fake.calls("hipMemcpyAsync");
      fake.hold();
      for (int i = 0; i < 6; i++) {
        ChunkBuffer lease = lease(random(i, BYTES));
        leases.add(lease);
        copies.add(engine.toDevice(lease, List.of(buffer.range((long) i * BYTES, BYTES))));
      }
      for (int done = 0; done <= 4; done++) {
        long issued = before + done + 2;
        Awaitility.await().until(() -> fake.calls("hipMemcpyAsync") == issued);
        assertThat(engine.bytesInFlight()).isEqualTo(2L * BYTES);
        fake.let(1);
      }
      fake.release();
      CompletableFuture.allOf(copies.toArray(CompletableFuture[]::new)).join();
      assertThat(engine.bytesInFlight()).isZero();
    }
    leases.forEach(ChunkBuffer::release);
  }

  @Test
  void lease_and_buffer_may_be_given_up_at_once() {
    ChunkBuffer lease = lease(random(1, BYTES));
    DeviceBuffer buffer = fake.device(0).allocate(BYTES);
    try (CopyEngine engine = CopyEngine.open(fake.device(0))) {
      fake.hold();
      CompletableFuture<CopyTimes> copy = engine.toDevice(lease, List.of(buffer.range()));
      lease.release();
      buffer.close();

      assertThat(memory.leases()).isEqualTo(1);
      assertThat(fake.count("live_device")).isEqualTo(1);
      fake.release();
      copy.join();
      assertThat(memory.leases()).isZero();
      Awaitility.await().until(() -> fake.count("live_device") == 0);
    }
  }

  @Test
  void closing_waits_for_what_was_asked_for() {
    ChunkBuffer lease = lease(random(1, BYTES));
    DeviceBuffer buffer = fake.device(0).allocate(BYTES);
    CopyEngine engine = CopyEngine.open(fake.device(0));
    fake.hold();
    CompletableFuture<CopyTimes> first = engine.toDevice(lease, List.of(buffer.range()));
    CompletableFuture<CopyTimes> second = engine.toHost(List.of(buffer.range()), lease);
    CompletableFuture<Void> closing = CompletableFuture.runAsync(engine::close);
    Awaitility.await().until(() -> fake.count("pending") >= 2);

    assertThat(closing).isNotDone();
    fake.release();
    closing.join();

    assertThat(first).isCompleted();
    assertThat(second).isCompleted();
    assertThatThrownBy(() -> engine.toDevice(lease, List.of(buffer.range())))
        .isInstanceOf(IllegalStateException.class);
    lease.release();
    buffer.close();
  }

  @Test
  void a_dead_handle_is_never_used_which_would_be_death_in_version_7() {
    fake.set("version", 70051831);
    ChunkBuffer lease = lease(random(1, BYTES));
    try (DeviceBuffer buffer = fake.device(0).allocate(BYTES)) {
      for (int i = 0; i < 20; i++) {
        CopyEngine engine = CopyEngine.open(fake.device(0), 2, BYTES);
        engine.toDevice(lease, List.of(buffer.range()));
        engine.toHost(List.of(buffer.range()), lease).cancel(false);
        engine.close();
        engine.close();
      }
    } finally {
      fake.set("version", 60443484);
    }
    lease.release();
  }

  @Test
  void a_cancelled_copy_that_had_not_begun_is_not_made() {
    ChunkBuffer lease = lease(random(1, BYTES));
    try (CopyEngine engine = CopyEngine.open(fake.device(0), 1, BYTES);
        DeviceBuffer buffer = fake.device(0).allocate(BYTES)) {
      fake.hold();
      CompletableFuture<CopyTimes> first = engine.toDevice(lease, List.of(buffer.range()));
      CompletableFuture<CopyTimes> second = engine.toDevice(lease, List.of(buffer.range()));
      Awaitility.await().until(() -> fake.count("pending") > 0);
      second.cancel(false);
      fake.release();
      first.join();
    }
    assertThat(fake.log()).hasSize(1);
    lease.release();
    assertThat(memory.leases()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"hipMemcpyAsync", "hipEventRecord", "hipEventSynchronize"})
  void a_call_that_fails_fails_its_copy_and_no_other(String call) {
    ChunkBuffer lease = lease(random(1, BYTES));
    try (CopyEngine engine = CopyEngine.open(fake.device(0));
        DeviceBuffer buffer = fake.device(0).allocate(BYTES)) {
      fake.inject(call, 1, INVALID_VALUE);

      assertFails(
          () -> engine.toDevice(lease, List.of(buffer.range())).join(), INVALID_VALUE, call);
      engine.toDevice(lease, List.of(buffer.range())).join();

      assertThat(engine.loss()).isNull();
      assertThat(engine.bytesInFlight()).isZero();
    }
    lease.release();
    assertThat(memory.leases()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"hipMemcpyAsync,3", "hipEventRecord,1", "hipEventSynchronize,1"})
  void a_copy_that_failed_keeps_its_lease_while_parts_of_it_are_under_way(String call, int nth) {
    ChunkBuffer lease = lease(random(1, 3 * BYTES));
    try (CopyEngine engine = CopyEngine.open(fake.device(0));
        DeviceBuffer buffer = fake.device(0).allocate(3L * BYTES)) {
      List<DeviceRange> ranges =
          LongStream.range(0, 3).mapToObj(i -> buffer.range(i * BYTES, BYTES)).toList();
      fake.hold();
      fake.inject(call, nth, INVALID_VALUE);
      CompletableFuture<CopyTimes> copy = engine.toDevice(lease, ranges);
      lease.release();
      Awaitility.await().until(() -> fake.calls(call) > 0 && fake.count("pending") >= 2);

      assertThat(memory.leases()).isEqualTo(1);
      assertThat(copy).isNotDone();
      fake.release();
      assertFails(copy::join, INVALID_VALUE, call);
      assertThat(memory.leases()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {700, 719})
  void a_lost_device_fails_what_waits_and_what_comes_later(int code) {
    List<ChunkBuffer> leases = new ArrayList<>();
    List<CompletableFuture<CopyTimes>> copies = new ArrayList<>();
    DeviceBuffer buffer = fake.device(0).allocate(6L * BYTES);
    CopyEngine engine = CopyEngine.open(fake.device(0), 1, 2L * BYTES);
    fake.hold();
    fake.inject(FakeHip.RUNNING_COPY, 2, code);
    for (int i = 0; i < 6; i++) {
      ChunkBuffer lease = lease(random(i, BYTES));
      leases.add(lease);
      copies.add(engine.toDevice(lease, List.of(buffer.range((long) i * BYTES, BYTES))));
    }
    fake.release();

    for (CompletableFuture<CopyTimes> copy : copies.subList(1, 6)) {
      assertFails(copy::join, code, "");
    }
    assertThat(engine.loss()).isNotNull().extracting(HipException::code).isEqualTo(code);
    long calls = fake.calls("hipMemcpyAsync");
    assertFails(engine.toDevice(leases.get(0), List.of(buffer.range(0, BYTES)))::join, code, "");
    assertThat(fake.calls("hipMemcpyAsync")).isEqualTo(calls);
    assertThat(fake.peek(buffer, BYTES, 5 * BYTES)).containsOnly(FakeHip.POISON);
    leases.forEach(ChunkBuffer::release);
    assertThat(memory.leases()).isZero();
    engine.close();
    buffer.close();
  }

  @ParameterizedTest
  @CsvSource({
    "hipStreamCreateWithFlags,1",
    "hipStreamCreateWithFlags,2",
    "hipEventCreateWithFlags,1",
    "hipEventCreateWithFlags,20"
  })
  void an_engine_that_cannot_be_opened_leaves_nothing_behind(String call, int nth) {
    fake.inject(call, nth, FakeHip.OUT_OF_MEMORY);

    assertThatThrownBy(() -> CopyEngine.open(fake.device(0)))
        .asInstanceOf(type(HipException.class))
        .extracting(HipException::code)
        .isEqualTo(FakeHip.OUT_OF_MEMORY);

    assertThat(fake.count("live_streams")).isZero();
    assertThat(fake.count("live_events")).isZero();
  }

  @Test
  void device_memory_that_is_not_there_is_an_error_with_the_size_and_the_device() {
    fake.set("device_bytes", 1 << 20);

    assertThatThrownBy(() -> fake.device(0).allocate(2 << 20))
        .isInstanceOf(HipException.class)
        .hasMessageContaining("hipErrorOutOfMemory")
        .hasMessageContaining("2097152")
        .hasMessageContaining("device 0");
  }

  @Test
  void host_memory_that_is_not_pinned_is_copied_all_the_same() {
    byte[] content = random(1, 2 << 20);
    long pageable = fake.count("pageable");
    try (HostMemory direct = DirectMemory.create(2 << 20);
        CopyEngine engine = CopyEngine.open(fake.device(0));
        DeviceBuffer buffer = fake.device(0).allocate(2 << 20)) {
      ChunkBuffer lease = direct.tryLease(2 << 20);
      assertThat(lease).isNotNull();
      lease.nio().put(content);
      engine.toDevice(lease, List.of(buffer.range())).join();
      lease.nio().put(new byte[2 << 20]);
      engine.toHost(List.of(buffer.range()), lease).join();
      assertThat(read(lease)).isEqualTo(content);
      lease.release();
    }
    assertThat(fake.count("pageable")).isEqualTo(pageable + 2);
  }

  @Test
  void many_threads_share_an_engine() throws Exception {
    long pageable = fake.count("pageable");
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (CopyEngine engine = CopyEngine.open(fake.device(0), 2, 4L * BYTES);
        DeviceBuffer buffer = fake.device(0).allocate(4L * BYTES)) {
      List<Future<?>> all = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        int thread = t;
        all.add(
            threads.submit(
                () -> {
                  for (int round = 0; round < 50; round++) {
                    roundTrip(engine, buffer.range((long) thread * BYTES, BYTES), round);
                  }
                }));
      }
      for (Future<?> one : all) {
        one.get();
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(fake.count("pageable")).isEqualTo(pageable);
  }

  private void roundTrip(CopyEngine engine, DeviceRange range, int seed) {
    byte[] content = random(seed, BYTES);
    ChunkBuffer out = lease(content);
    engine.toDevice(out, List.of(range)).join();
    ChunkBuffer in = lease(new byte[BYTES]);
    engine.toHost(List.of(range), in).join();
    assertThat(read(in)).isEqualTo(content);
    out.release();
    in.release();
  }

  private static void assertFails(ThrowingCallable join, int code, String call) {
    assertThatThrownBy(join)
        .isInstanceOf(CompletionException.class)
        .cause()
        .hasMessageContaining(call)
        .asInstanceOf(type(HipException.class))
        .extracting(HipException::code)
        .isEqualTo(code);
  }

  private ChunkBuffer lease(byte[] content) {
    ChunkBuffer lease = memory.tryLease(content.length);
    assertThat(lease).isNotNull();
    lease.nio().put(content);
    return lease;
  }

  private static byte[] read(ChunkBuffer lease) {
    ByteBuffer view = lease.nio();
    byte[] bytes = new byte[view.remaining()];
    view.get(bytes);
    return bytes;
  }

  private static byte[] random(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }
}
