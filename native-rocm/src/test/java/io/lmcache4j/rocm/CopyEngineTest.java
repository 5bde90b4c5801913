/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class CopyEngineTest {

  private static final int BYTES = 10_000;

  private final FakeHip hip = new FakeHip();
  private final HipDevice device = hip.device();
  private final PinnedMemory memory = PinnedMemory.allocate(device, 1 << 20);
  private final DeviceBuffer buffer = device.allocate(BYTES);
  private final CopyEngine engine = CopyEngine.open(device);

  @AfterEach
  void nothingIsLeftBehind() {
    engine.close();
    buffer.close();
    assertThat(memory.leases()).isZero();
    memory.close();
    assertThat(hip.violations()).isEmpty();
    assertThat(hip.live().values()).containsOnly(0);
  }

  private ChunkBuffer lease(int bytes) {
    return requireNonNull(memory.tryLease(bytes), "no lease");
  }

  private static byte[] random(int bytes) {
    byte[] content = new byte[bytes];
    new Random(bytes).nextBytes(content);
    return content;
  }

  private static byte[] bytes(ChunkBuffer lease) {
    byte[] content = new byte[lease.length()];
    lease.nio().get(content);
    return content;
  }

  private static HipException failure(CompletableFuture<CopyTimes> copy) {
    try {
      copy.get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof HipException failure) {
        return failure;
      }
      throw new AssertionError(e);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    throw new AssertionError("the copy did not fail");
  }

  @Test
  void bytesGoToTheDeviceAndBack() {
    byte[] content = random(BYTES);
    try (ChunkBuffer out = lease(BYTES);
        ChunkBuffer back = lease(BYTES)) {
      out.nio().put(content);
      CopyTimes times = engine.toDevice(out, List.of(buffer.range())).join();
      assertThat(times.endedNanos()).isGreaterThanOrEqualTo(times.startedNanos());
      assertThat(hip.peek(buffer)).isEqualTo(content);
      engine.toHost(List.of(buffer.range()), back).join();
      assertThat(bytes(back)).isEqualTo(content);
    }
    assertThat(engine.bytesInFlight()).isZero();
  }

  @Test
  void severalRangesAreDenseOnTheHostInTheirOrder() {
    byte[] content = random(BYTES);
    hip.poke(buffer, content);
    try (ChunkBuffer lease = lease(50 + 40 + 3)) {
      List<DeviceRange> ranges =
          List.of(
              buffer.range(9000, 50),
              new DeviceRange(buffer, 100, 10, 25, 4),
              new DeviceRange(buffer, 7, 3, 3, 1));
      engine.toHost(ranges, lease).join();
      byte[] got = bytes(lease);
      assertThat(List.of(got[0], got[49])).containsExactly(content[9000], content[9049]);
      for (int row = 0; row < 4; row++) {
        for (int i = 0; i < 10; i++) {
          assertThat(got[50 + 10 * row + i]).isEqualTo(content[100 + 25 * row + i]);
        }
      }
      assertThat(got[90]).isEqualTo(content[7]);
      assertThat(hip.calls()).filteredOn("memcpy2DAsync"::equals).hasSize(1);
    }
  }

  @Test
  void stridedCopiesTouchOnlyTheirRows() {
    hip.poke(buffer, new byte[BYTES]);
    try (ChunkBuffer lease = lease(30)) {
      lease.nio().put(new byte[30]).flip();
      for (int i = 0; i < 30; i++) {
        lease.nio().put(i, (byte) 1);
      }
      engine.toDevice(lease, List.of(new DeviceRange(buffer, 5, 3, 100, 10))).join();
      byte[] after = hip.peek(buffer);
      for (int i = 0; i < BYTES; i++) {
        boolean inRow = i >= 5 && i < 1000 && (i - 5) % 100 < 3;
        assertThat(after[i]).as("byte %d", i).isEqualTo((byte) (inRow ? 1 : 0));
      }
    }
  }

  @Test
  void rowsWithoutGapsAreOnePlainCopy() {
    try (ChunkBuffer lease = lease(1000)) {
      engine.toHost(List.of(new DeviceRange(buffer, 0, 100, 100, 10)), lease).join();
    }
    assertThat(hip.calls()).doesNotContain("memcpy2DAsync");
  }

  @Test
  void leasesAndBuffersAreHeldUntilTheEventFires() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    hip.hold(gate);
    DeviceBuffer shortLived = device.allocate(100);
    ChunkBuffer lease = lease(100);
    lease.nio().put(0, (byte) 9);
    CompletableFuture<CopyTimes> copy = engine.toDevice(lease, List.of(shortLived.range()));
    lease.close();
    shortLived.close();
    assertThat(memory.leases()).isEqualTo(1);
    assertThat(hip.live()).containsEntry("device", 2);
    assertThat(copy).isNotDone();
    gate.countDown();
    copy.get(30, TimeUnit.SECONDS);
    device.settle();
    assertThat(memory.leases()).isZero();
    assertThat(hip.live()).containsEntry("device", 1);
  }

  /** The rule is broken on purpose: what the lease has when the device reads it is what arrives. */
  @Test
  void aLeaseThatIsWrittenToBeforeTheEventFiresIsCorrupted() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    hip.hold(gate);
    try (ChunkBuffer lease = lease(1)) {
      lease.nio().put(0, (byte) 1);
      CompletableFuture<CopyTimes> copy = engine.toDevice(lease, List.of(buffer.range(0, 1)));
      lease.nio().put(0, (byte) 2);
      gate.countDown();
      copy.get(30, TimeUnit.SECONDS);
      assertThat(hip.peek(buffer)[0]).isEqualTo((byte) 2);
    }
  }

  @Test
  void aCancelledCopyThatHasBegunKeepsItsLeaseUntilItIsOver() {
    CountDownLatch gate = new CountDownLatch(1);
    hip.hold(gate);
    ChunkBuffer lease = lease(100);
    CompletableFuture<CopyTimes> copy = engine.toHost(List.of(buffer.range(0, 100)), lease);
    while (engine.bytesInFlight() == 0) {
      Thread.onSpinWait();
    }
    copy.cancel(false);
    lease.close();
    assertThat(memory.leases()).isEqualTo(1);
    gate.countDown();
    engine.close();
    assertThat(memory.leases()).isZero();
  }

  @Test
  void aCancelledCopyThatHasNotBegunIsNotMade() {
    try (CopyEngine narrow = CopyEngine.open(device, 1, 1);
        ChunkBuffer lease = lease(100)) {
      CountDownLatch gate = new CountDownLatch(1);
      hip.hold(gate);
      CompletableFuture<CopyTimes> first = narrow.toHost(List.of(buffer.range(0, 100)), lease);
      CompletableFuture<CopyTimes> second = narrow.toHost(List.of(buffer.range(0, 100)), lease);
      second.cancel(false);
      gate.countDown();
      first.join();
    }
    assertThat(hip.calls()).filteredOn("memcpyAsync"::equals).hasSize(1);
  }

  @Test
  void theRuntimeIsGivenNoMoreBytesThanTheLimit() {
    try (CopyEngine narrow = CopyEngine.open(device, 2, 250)) {
      CountDownLatch gate = new CountDownLatch(1);
      hip.hold(gate);
      List<CompletableFuture<CopyTimes>> copies = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        try (ChunkBuffer lease = lease(100)) {
          copies.add(narrow.toHost(List.of(buffer.range(0, 100)), lease));
        }
      }
      while (narrow.bytesInFlight() < 200) {
        Thread.onSpinWait();
      }
      assertThat(hip.calls()).filteredOn("memcpyAsync"::equals).hasSizeLessThanOrEqualTo(2);
      assertThat(memory.leases()).isEqualTo(10);
      gate.countDown();
      copies.forEach(CompletableFuture::join);
    }
  }

  @Test
  void aCopyAboveTheLimitGoesAlone() {
    try (CopyEngine narrow = CopyEngine.open(device, 1, 10);
        ChunkBuffer lease = lease(1000)) {
      narrow.toHost(List.of(buffer.range(0, 1000)), lease).join();
      narrow.toHost(List.of(buffer.range(0, 1000)), lease).join();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void manyCopiesOnSeveralStreamsAllArrive(int streams) {
    byte[] content = random(BYTES);
    hip.poke(buffer, content);
    try (CopyEngine wide = CopyEngine.open(device, streams, 5000)) {
      List<ChunkBuffer> leases = new ArrayList<>();
      List<CompletableFuture<CopyTimes>> copies = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        ChunkBuffer lease = lease(100);
        leases.add(lease);
        copies.add(wide.toHost(List.of(buffer.range(100L * i, 100)), lease));
      }
      for (int i = 0; i < 100; i++) {
        copies.get(i).join();
        assertThat(leases.get(i).nio().get(7)).isEqualTo(content[100 * i + 7]);
        leases.get(i).close();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"memcpyAsync,1", "eventRecord,1", "eventSynchronize,1", "memcpyAsync,2"})
  void anErrorFailsTheOneCopyAndNoOther(String call, int code) {
    hip.fail(call, 1, code);
    try (ChunkBuffer lease = lease(10)) {
      HipException failure = failure(engine.toHost(List.of(buffer.range(0, 10)), lease));
      assertThat(failure.code()).isEqualTo(code);
      assertThat(failure.call()).isEqualToIgnoringCase("hip" + call);
      assertThat(failure.isDeviceLost()).isFalse();
      assertThat(engine.loss()).isNull();
      engine.toHost(List.of(buffer.range(0, 10)), lease).join();
    }
  }

  @Test
  void aCopyWhoseSecondRangeIsRefusedEndsWhenItsFirstIsOver() {
    CountDownLatch gate = new CountDownLatch(1);
    hip.hold(gate);
    hip.fail("memcpyAsync", 2, HipErrors.INVALID_VALUE);
    ChunkBuffer lease = lease(20);
    CompletableFuture<CopyTimes> copy =
        engine.toHost(List.of(buffer.range(0, 10), buffer.range(10, 10)), lease);
    lease.close();
    while (!hip.calls().contains("eventRecord")) {
      Thread.onSpinWait();
    }
    assertThat(copy).isNotDone();
    assertThat(memory.leases()).isEqualTo(1);
    gate.countDown();
    assertThat(failure(copy).code()).isEqualTo(HipErrors.INVALID_VALUE);
    assertThat(memory.leases()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"memcpyAsync,700", "eventSynchronize,719", "eventRecord,999", "eventSynchronize,709"})
  void aLostDeviceFailsWhatWaitsAndWhatIsAskedForLater(String call, int code) {
    CountDownLatch gate = new CountDownLatch(1);
    hip.hold(gate);
    hip.fail(call, 1, code);
    List<CompletableFuture<CopyTimes>> copies = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      try (ChunkBuffer lease = lease(10)) {
        copies.add(engine.toHost(List.of(buffer.range(0, 10)), lease));
      }
    }
    gate.countDown();
    for (CompletableFuture<CopyTimes> copy : copies) {
      assertThat(failure(copy).isDeviceLost()).isTrue();
    }
    assertThat(requireNonNull(engine.loss()).code()).isEqualTo(code);
    try (ChunkBuffer lease = lease(10)) {
      assertThat(failure(engine.toDevice(lease, List.of(buffer.range(0, 10)))).code())
          .isEqualTo(code);
    }
    assertThat(memory.leases()).isZero();
  }

  @Test
  void aStreamThatAnswersNothingAfterAFailedEventIsALostDevice() {
    hip.fail("eventSynchronize", 1, HipErrors.INVALID_HANDLE);
    hip.fail("streamSynchronize", 1, HipErrors.INVALID_HANDLE);
    try (ChunkBuffer lease = lease(10)) {
      failure(engine.toHost(List.of(buffer.range(0, 10)), lease));
      assertThat(requireNonNull(engine.loss()).call()).isEqualTo("hipStreamSynchronize");
    }
  }

  /** What is chained to a future runs on the engine's threads, and may leave them interrupted. */
  @ParameterizedTest
  @ValueSource(strings = {"wait", "issue"})
  void anInterruptDoesNotEndTheEnginesThreads(String thread) throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    hip.hold(gate);
    if (thread.equals("issue")) {
      // Then the future is completed by the thread that gives copies to the runtime.
      hip.fail("eventRecord", 1, HipErrors.INVALID_VALUE);
    }
    try (ChunkBuffer lease = lease(10)) {
      CompletableFuture<String> interrupted =
          engine
              .toHost(List.of(buffer.range(0, 10)), lease)
              .handle(
                  (times, failure) -> {
                    Thread.currentThread().interrupt();
                    return Thread.currentThread().getName();
                  });
      gate.countDown();
      assertThat(interrupted.get(30, TimeUnit.SECONDS)).endsWith("-" + thread);
      for (int i = 0; i < 40; i++) {
        engine.toHost(List.of(buffer.range(0, 10)), lease).get(10, TimeUnit.SECONDS);
      }
    }
  }

  @Test
  void aLeaseThatCannotBeGivenBackFailsItsCopyAndNoOther() throws Exception {
    try (ChunkBuffer lease = lease(10)) {
      ChunkBuffer broken = new BrokenRelease(lease);
      CompletableFuture<CopyTimes> copy = engine.toHost(List.of(buffer.range(0, 10)), broken);
      assertThatThrownBy(() -> copy.get(10, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasRootCauseMessage("not today");
      engine.toHost(List.of(buffer.range(0, 10)), lease).get(10, TimeUnit.SECONDS);
      lease.release();
    }
  }

  /** A lease of somebody's own memory, which fails at the wrong moment. */
  private record BrokenRelease(ChunkBuffer lease) implements ChunkBuffer {

    @Override
    public int length() {
      return lease.length();
    }

    @Override
    public long address() {
      return lease.address();
    }

    @Override
    public ByteBuffer nio() {
      return lease.nio();
    }

    @Override
    public ByteBuf netty() {
      return lease.netty();
    }

    @Override
    public boolean isPinned() {
      return lease.isPinned();
    }

    @Override
    public ChunkBuffer retain() {
      lease.retain();
      return this;
    }

    @Override
    public boolean release() {
      throw new IllegalStateException("not today");
    }
  }

  /** Two directions share the limit: a large copy must not wait until both have nothing to do. */
  @Test
  void aCopyAboveTheLimitIsNotOvertaken() throws Exception {
    InFlight inFlight = new InFlight(100);
    inFlight.acquire(60);
    Thread large = new Thread(() -> inFlight.acquire(150));
    large.start();
    waitUntilBlocked(large);
    Thread small = new Thread(() -> inFlight.acquire(30));
    small.start();
    waitUntilBlocked(small);
    assertThat(inFlight.bytes()).isEqualTo(60);
    inFlight.release(60);
    large.join();
    assertThat(inFlight.bytes()).isEqualTo(150);
    inFlight.release(150);
    small.join();
    assertThat(inFlight.bytes()).isEqualTo(30);
  }

  /** Or until it has ended, which it must not. */
  private static void waitUntilBlocked(Thread thread) {
    while (thread.getState() != Thread.State.WAITING
        && thread.getState() != Thread.State.TERMINATED) {
      Thread.onSpinWait();
    }
  }

  @Test
  void misuseIsThrownBeforeAnyCall() {
    FakeHip two = new FakeHip(Dialect.HIP, 2);
    List<HipDevice> devices = two.runtime().devices();
    try (ChunkBuffer lease = lease(10);
        DeviceBuffer foreign = devices.get(1).allocate(10)) {
      assertThatThrownBy(() -> engine.toHost(List.of(buffer.range(0, 11)), lease))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("11 bytes");
      assertThatThrownBy(() -> engine.toHost(List.of(), lease))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> engine.toHost(List.of(foreign.range()), lease))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("Fake 1");
    }
    ChunkBuffer gone = lease(10);
    gone.close();
    assertThatThrownBy(() -> engine.toHost(List.of(buffer.range(0, 10)), gone));
    assertThat(hip.calls()).doesNotContain("memcpyAsync", "memcpy2DAsync", "eventRecord");
    assertThat(memory.leases()).isZero();
  }

  @Test
  void aClosedBufferIsRefusedAndTheLeaseIsLeftAlone() {
    DeviceBuffer closed = device.allocate(10);
    DeviceRange range = closed.range();
    closed.close();
    closed.close();
    try (ChunkBuffer lease = lease(10)) {
      assertThatThrownBy(() -> engine.toHost(List.of(range), lease))
          .isInstanceOf(IllegalStateException.class);
    }
    assertThat(memory.leases()).isZero();
    assertThatThrownBy(closed::address).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void closeWaitsForWhatWasAskedForAndRefusesTheRest() {
    List<CompletableFuture<CopyTimes>> copies = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      try (ChunkBuffer lease = lease(10)) {
        copies.add(engine.toHost(List.of(buffer.range(0, 10)), lease));
      }
    }
    engine.close();
    engine.close();
    assertThat(copies).allMatch(copy -> copy.isDone() && !copy.isCompletedExceptionally());
    try (ChunkBuffer lease = lease(10)) {
      assertThatThrownBy(() -> engine.toHost(List.of(buffer.range(0, 10)), lease))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
  }

  @Test
  void aDeviceThatAnswersAfterTheCloseKeepsItsLeaseUntilThenAndItsStreamNoLonger() {
    CountDownLatch gate = new CountDownLatch(1);
    hip.hold(gate);
    Map<String, Integer> before = hip.live();
    CopyEngine impatient = CopyEngine.open(device);
    ChunkBuffer lease = lease(10);
    CompletableFuture<CopyTimes> copy = impatient.toHost(List.of(buffer.range(0, 10)), lease);
    lease.close();
    impatient.close(1);
    assertThat(copy).isNotDone();
    assertThat(memory.leases()).isEqualTo(1);
    gate.countDown();
    copy.join();
    assertThat(memory.leases()).isZero();
    while (!hip.live().equals(before)) {
      device.settle();
    }
  }

  @Test
  void closingFromTheEnginesOwnThreadIsRefused() {
    CountDownLatch gate = new CountDownLatch(1);
    hip.hold(gate);
    try (ChunkBuffer lease = lease(10)) {
      CompletableFuture<Void> closing =
          engine.toHost(List.of(buffer.range(0, 10)), lease).thenRun(engine::close);
      gate.countDown();
      assertThatThrownBy(closing::join)
          .isInstanceOf(CompletionException.class)
          .hasCauseInstanceOf(IllegalStateException.class);
    }
  }

  @ParameterizedTest
  @CsvSource({"streamCreate,1", "streamCreate,2", "eventCreate,1", "eventCreate,20"})
  void anEngineThatCannotBeOpenedLeavesNothing(String call, int nth) {
    int streams = hip.live().getOrDefault("streams", 0);
    int events = hip.live().getOrDefault("events", 0);
    hip.fail(call, nth, HipErrors.OUT_OF_MEMORY);
    assertThatThrownBy(() -> CopyEngine.open(device))
        .isInstanceOf(HipException.class)
        .hasMessageContaining("hipErrorOutOfMemory");
    assertThat(hip.live()).containsEntry("streams", streams).containsEntry("events", events);
  }

  @Test
  void eachDevicesCallsAreMadeWithItCurrent() {
    FakeHip two = new FakeHip(Dialect.HIP, 2);
    for (HipDevice each : two.runtime().devices()) {
      try (HostMemory host = PinnedMemory.allocate(each, 4096);
          DeviceBuffer there = each.allocate(100);
          CopyEngine copies = CopyEngine.open(each)) {
        try (ChunkBuffer lease = requireNonNull(host.tryLease(100))) {
          copies.toDevice(lease, List.of(there.range())).join();
          copies.toHost(List.of(there.range()), lease).join();
        }
        assertThat(each.memory().total()).isEqualTo(1000L * (each.index() + 1));
      }
    }
    assertThat(two.violations()).isEmpty();
    assertThat(two.live().values()).containsOnly(0);
  }

  @Test
  void deviceMemoryThatIsNotToBeHadIsAnException() {
    assertThatThrownBy(() -> device.allocate(1L << 40))
        .isInstanceOf(HipException.class)
        .hasMessageContaining("hipMalloc of 1099511627776 bytes")
        .hasMessageContaining("hipErrorOutOfMemory");
    assertThatThrownBy(() -> device.allocate(0)).isInstanceOf(IllegalArgumentException.class);
  }
}
