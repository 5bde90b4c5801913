/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.store.ChunkStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class GpuChunksTest {

  private static final int CHUNK = 8192;
  private static final int CHUNKS = 8;

  private final FakeHip hip = new FakeHip();
  private final HipDevice device = hip.device();
  private final PinnedMemory staging = PinnedMemory.allocate(device, 3 * CHUNK);
  private final DeviceBuffer source = device.allocate(CHUNK * CHUNKS);
  private final DeviceBuffer target = device.allocate(CHUNK * CHUNKS);
  private final CopyEngine engine = CopyEngine.open(device);
  private final MapStore store = new MapStore();
  private final GpuChunks chunks = new GpuChunks(engine, staging, store, 2);
  private final byte[] content = new byte[CHUNK * CHUNKS];

  @BeforeEach
  void fillTheDevice() {
    new Random(1).nextBytes(content);
    hip.poke(source, content);
  }

  @AfterEach
  void nothingIsLeftBehind() {
    engine.close();
    source.close();
    target.close();
    assertThat(staging.leases()).isZero();
    staging.close();
    assertThat(hip.violations()).isEmpty();
    assertThat(hip.live().values()).containsOnly(0);
  }

  private static ChunkKey key(int i) {
    return ChunkKey.parse("model@1@0@" + Integer.toHexString(0x100 + i) + "@bfloat16");
  }

  private static RemoteMetadata metadata(long bytes) {
    return RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, 1, bytes / 16, 4), DType.BFLOAT16);
  }

  private static DeviceRange part(DeviceBuffer buffer, int i) {
    return buffer.range((long) i * CHUNK, CHUNK);
  }

  private List<DeviceChunk> all() {
    List<DeviceChunk> batch = new ArrayList<>();
    for (int i = 0; i < CHUNKS; i++) {
      batch.add(new DeviceChunk(key(i), metadata(CHUNK), List.of(part(source, i))));
    }
    return batch;
  }

  private List<DeviceTarget> targets() {
    List<DeviceTarget> batch = new ArrayList<>();
    for (int i = 0; i < CHUNKS; i++) {
      batch.add(new DeviceTarget(key(i), List.of(part(target, i))));
    }
    return batch;
  }

  private byte[] chunk(byte[] of, int i) {
    return Arrays.copyOfRange(of, i * CHUNK, (i + 1) * CHUNK);
  }

  private byte[] untouched() {
    byte[] fresh = new byte[CHUNK];
    Arrays.fill(fresh, (byte) 0xdb);
    return fresh;
  }

  private static void waitFor(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      Thread.onSpinWait();
    }
  }

  @Test
  void chunksGoFromDeviceToStoreAndBack() {
    List<DevicePutOutcome> put = chunks.putFromDevice(all()).join();
    assertThat(put).hasSize(CHUNKS).allMatch(o -> o instanceof DevicePutOutcome.Stored);
    for (int i = 0; i < CHUNKS; i++) {
      assertThat(put.get(i).key()).isEqualTo(key(i));
      assertThat(requireNonNull(store.entries.get(key(i))).payload()).isEqualTo(chunk(content, i));
    }
    List<DeviceGetOutcome> got = chunks.getToDevice(targets()).join();
    assertThat(got).hasSize(CHUNKS).allMatch(o -> o instanceof DeviceGetOutcome.Loaded);
    assertThat(hip.peek(target)).isEqualTo(content);
  }

  @Test
  void aChunkMayBeGatheredFromManyPlacesAndScatteredAgain() {
    List<DeviceRange> pages =
        List.of(
            source.range(5 * CHUNK, CHUNK / 2), new DeviceRange(source, 0, 64, 128, CHUNK / 128));
    chunks.putFromDevice(List.of(new DeviceChunk(key(0), metadata(CHUNK), pages))).join();
    List<DeviceRange> there =
        List.of(
            target.range(5 * CHUNK, CHUNK / 2), new DeviceRange(target, 0, 64, 128, CHUNK / 128));
    assertThat(chunks.getToDevice(List.of(new DeviceTarget(key(0), there))).join().get(0))
        .isInstanceOf(DeviceGetOutcome.Loaded.class);
    byte[] after = hip.peek(target);
    for (int i = 0; i < CHUNK; i++) {
      assertThat(after[i]).isEqualTo(i % 128 < 64 ? content[i] : (byte) 0xdb);
    }
    assertThat(Arrays.copyOfRange(after, 5 * CHUNK, 5 * CHUNK + CHUNK / 2))
        .isEqualTo(Arrays.copyOfRange(content, 5 * CHUNK, 5 * CHUNK + CHUNK / 2));
  }

  @Test
  void theNextChunkIsCopiedWhileTheStoreHasTheOneBefore() {
    store.hold = true;
    CompletableFuture<List<DevicePutOutcome>> put = chunks.putFromDevice(all());
    waitFor(() -> store.asked.size() == 2);
    // Both of the first two are with the store, and no third was begun.
    assertThat(hip.calls()).filteredOn("memcpyAsync"::equals).hasSize(2);
    assertThat(staging.leases()).isEqualTo(2);
    store.answerAll();
    assertThat(put.join()).allMatch(o -> o instanceof DevicePutOutcome.Stored);
    assertThat(store.asked).hasSize(CHUNKS);
  }

  @Test
  void timesTellThatACopyBeganBeforeTheTransferBeforeItEnded() {
    store.hold = true;
    CompletableFuture<List<DevicePutOutcome>> put = chunks.putFromDevice(all());
    waitFor(() -> store.asked.size() == 2);
    store.answerAll();
    List<DevicePutOutcome> outcomes = put.join();
    ChunkTimes first = ((DevicePutOutcome.Stored) outcomes.get(0)).times();
    ChunkTimes second = ((DevicePutOutcome.Stored) outcomes.get(1)).times();
    assertThat(first.copyStarted()).isLessThanOrEqualTo(first.copyEnded());
    assertThat(first.copyEnded()).isLessThanOrEqualTo(first.transferStarted());
    assertThat(second.copyStarted()).isLessThan(first.transferEnded());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8})
  void chunksWaitForRoomInTheStagingMemory(int depth) {
    GpuChunks deep = new GpuChunks(engine, staging, store, depth);
    assertThat(deep.putFromDevice(all()).join())
        .hasSize(CHUNKS)
        .allMatch(o -> o instanceof DevicePutOutcome.Stored);
    assertThat(deep.getToDevice(targets()).join())
        .hasSize(CHUNKS)
        .allMatch(o -> o instanceof DeviceGetOutcome.Loaded);
    assertThat(hip.peek(target)).isEqualTo(content);
  }

  @Test
  void withoutAnyRoomThereIsAnOutcomeAndNothingIsCopied() {
    try (ChunkBuffer others = requireNonNull(staging.tryLease(3 * CHUNK))) {
      assertThat(others.length()).isEqualTo(3 * CHUNK);
      assertThat(chunks.putFromDevice(all()).join())
          .hasSize(CHUNKS)
          .allMatch(o -> o instanceof DevicePutOutcome.NoMemory none && none.bytes() == CHUNK);
      assertThat(chunks.getToDevice(targets()).join())
          .hasSize(CHUNKS)
          .allMatch(o -> o instanceof DeviceGetOutcome.NoMemory);
    }
    assertThat(hip.calls()).doesNotContain("memcpyAsync");
    assertThat(store.asked).isEmpty();
  }

  @Test
  void aChunkWhoseCopyFailedIsNeverStored() {
    hip.fail("memcpyAsync", 3, HipErrors.INVALID_VALUE);
    List<DevicePutOutcome> outcomes = chunks.putFromDevice(all()).join();
    for (int i = 0; i < CHUNKS; i++) {
      if (i == 2) {
        assertThat(outcomes.get(i)).isInstanceOf(DevicePutOutcome.CopyFailed.class);
        assertThat(store.asked).doesNotContain(key(i));
      } else {
        assertThat(outcomes.get(i)).isInstanceOf(DevicePutOutcome.Stored.class);
      }
    }
    assertThat(store.entries).hasSize(CHUNKS - 1);
  }

  @Test
  void aLostDeviceFailsTheRestOfTheBatchKeyByKey() {
    hip.fail("eventSynchronize", 3, HipErrors.LAUNCH_FAILURE);
    List<DevicePutOutcome> outcomes = chunks.putFromDevice(all()).join();
    assertThat(outcomes).hasSize(CHUNKS);
    assertThat(outcomes.subList(0, 2)).allMatch(o -> o instanceof DevicePutOutcome.Stored);
    assertThat(outcomes.subList(2, CHUNKS))
        .allMatch(
            o ->
                o instanceof DevicePutOutcome.CopyFailed failed
                    && failed.cause() instanceof HipException e
                    && e.isDeviceLost());
    assertThat(store.entries).hasSize(2);
  }

  @Test
  void aChunkThatTheStoreRefusesFailsAlone() {
    store.failures.put(key(1), new IllegalStateException("full"));
    List<DevicePutOutcome> outcomes = chunks.putFromDevice(all()).join();
    assertThat(outcomes.get(1))
        .isInstanceOfSatisfying(
            DevicePutOutcome.TransferFailed.class,
            failed -> assertThat(failed.cause()).hasMessage("full"));
    assertThat(outcomes).filteredOn(o -> o instanceof DevicePutOutcome.Stored).hasSize(7);
  }

  @Test
  void aFailedGetTouchesNoOtherChunksRange() {
    chunks.putFromDevice(all()).join();
    store.failures.put(key(0), new IllegalStateException("gone"));
    store.entries.remove(key(1));
    store.answers.put(key(2), new ChunkStore.Fetched.Corrupt("7 is not 8"));
    store.entries.put(key(3), new MapStore.Entry(metadata(CHUNK / 2), new byte[CHUNK / 2]));
    hip.fail("memcpyAsync", 1, HipErrors.INVALID_VALUE);
    List<DeviceGetOutcome> outcomes = chunks.getToDevice(targets()).join();
    assertThat(outcomes.get(0)).isInstanceOf(DeviceGetOutcome.TransferFailed.class);
    assertThat(outcomes.get(1)).isEqualTo(new DeviceGetOutcome.Miss(key(1)));
    assertThat(outcomes.get(2)).isEqualTo(new DeviceGetOutcome.Unusable(key(2), "7 is not 8"));
    assertThat(outcomes.get(3))
        .isInstanceOfSatisfying(
            DeviceGetOutcome.Unusable.class,
            o -> assertThat(o.reason()).contains("4096 bytes").contains("8192"));
    assertThat(outcomes.get(4)).isInstanceOf(DeviceGetOutcome.CopyFailed.class);
    byte[] after = hip.peek(target);
    for (int i = 0; i < CHUNKS; i++) {
      assertThat(chunk(after, i))
          .as("chunk %d", i)
          .isEqualTo(i < 5 ? untouched() : chunk(content, i));
    }
  }

  @Test
  void theStoresOwnBufferIsCopiedAndReleasedToo() {
    ChunkBuffer own = requireNonNull(staging.tryLease(CHUNK));
    own.nio().put(chunk(content, 0));
    store.answers.put(key(0), new ChunkStore.Fetched.Hit(metadata(CHUNK), own));
    assertThat(chunks.getToDevice(targets().subList(0, 1)).join().get(0))
        .isInstanceOf(DeviceGetOutcome.Loaded.class);
    assertThat(chunk(hip.peek(target), 0)).isEqualTo(chunk(content, 0));
    ChunkBuffer tooShort = requireNonNull(staging.tryLease(1));
    store.answers.put(key(0), new ChunkStore.Fetched.Hit(metadata(CHUNK), tooShort));
    assertThat(chunks.getToDevice(targets().subList(0, 1)).join().get(0))
        .isInstanceOf(DeviceGetOutcome.Unusable.class);
  }

  @Test
  void rangesThatAreNotWhatTheMetadataSaysAreNotCopied() {
    List<DeviceChunk> batch = new ArrayList<>(all());
    batch.set(3, new DeviceChunk(key(3), metadata(CHUNK), List.of(source.range(0, CHUNK - 1))));
    List<DevicePutOutcome> outcomes = chunks.putFromDevice(batch).join();
    assertThat(outcomes.get(3))
        .isInstanceOfSatisfying(
            DevicePutOutcome.CopyFailed.class,
            failed ->
                assertThat(failed.cause())
                    .hasMessageContaining("8192")
                    .hasMessageContaining("8191")
                    .hasMessageContaining(key(3).toString()));
    assertThat(outcomes).filteredOn(o -> o instanceof DevicePutOutcome.Stored).hasSize(7);
  }

  @Test
  void cancellingBeginsNothingMoreAndLeavesNoLeaseBehind() {
    store.hold = true;
    CompletableFuture<List<DevicePutOutcome>> put = chunks.putFromDevice(all());
    waitFor(() -> store.asked.size() == 2);
    put.cancel(false);
    assertThatThrownBy(put::join).isInstanceOf(CancellationException.class);
    // The store still has both payloads in its hands.
    assertThat(staging.leases()).isEqualTo(2);
    store.answerAll();
    assertThat(staging.leases()).isZero();
    assertThat(store.asked).hasSize(2);
  }

  @Test
  void cancellingAGetUnderWayReleasesWhatArrivesLater() {
    chunks.putFromDevice(all()).join();
    store.asked.clear();
    store.hold = true;
    CompletableFuture<List<DeviceGetOutcome>> get = chunks.getToDevice(targets());
    waitFor(() -> store.asked.size() == 2);
    get.cancel(false);
    assertThat(staging.leases()).isZero();
    store.answerAll();
    assertThat(staging.leases()).isZero();
  }

  @Test
  void cancellingDuringACopyKeepsTheLeaseUntilItIsOver() {
    CountDownLatch gate = new CountDownLatch(1);
    hip.hold(gate);
    CompletableFuture<List<DevicePutOutcome>> put = chunks.putFromDevice(all());
    waitFor(() -> engine.bytesInFlight() == 2 * CHUNK);
    put.cancel(false);
    assertThat(staging.leases()).isEqualTo(2);
    gate.countDown();
    engine.close();
    assertThat(staging.leases()).isZero();
    assertThat(store.asked).isEmpty();
  }

  @Test
  void aStoreThatReleasesWhatIsNotItsOwnDoesNotStopTheBatch() {
    ChunkStore greedy =
        new ChunkStore() {
          @Override
          public CompletableFuture<Void> put(
              ChunkKey key, RemoteMetadata metadata, ChunkBuffer payload) {
            payload.release();
            return CompletableFuture.completedFuture(null);
          }

          @Override
          public CompletableFuture<Fetched> get(ChunkKey key, HostMemory into) {
            throw new UnsupportedOperationException("no get");
          }
        };
    GpuChunks broken = new GpuChunks(engine, staging, greedy, 2);
    assertThat(broken.putFromDevice(all()).join()).hasSize(CHUNKS);
    assertThat(broken.getToDevice(targets()).join())
        .hasSize(CHUNKS)
        .allMatch(o -> o instanceof DeviceGetOutcome.TransferFailed);
  }

  @ParameterizedTest
  @ValueSource(ints = {CHUNK, CHUNK - 1})
  void aHitWhoseBytesAreGoneAlreadyDoesNotStopTheBatch(int bytes) throws Exception {
    chunks.putFromDevice(all()).join();
    try (PinnedMemory own = PinnedMemory.allocate(device, CHUNK)) {
      ChunkBuffer gone = requireNonNull(own.tryLease(bytes));
      gone.release();
      store.answers.put(key(1), new ChunkStore.Fetched.Hit(metadata(bytes), gone));
      List<DeviceGetOutcome> outcomes = chunks.getToDevice(targets()).get(30, TimeUnit.SECONDS);
      assertThat(outcomes.get(1))
          .isInstanceOf(
              bytes == CHUNK ? DeviceGetOutcome.CopyFailed.class : DeviceGetOutcome.Unusable.class);
      assertThat(outcomes).filteredOn(o -> o instanceof DeviceGetOutcome.Loaded).hasSize(7);
    }
    assertThat(chunk(hip.peek(target), 1)).isEqualTo(untouched());
  }

  /** A class that is missing from the path shows at the first call, on the engine's thread. */
  @Test
  void aStoreThatBreaksDownFailsKeyByKey() throws Exception {
    ChunkStore broken =
        new ChunkStore() {
          @Override
          public CompletableFuture<Void> put(
              ChunkKey key, RemoteMetadata metadata, ChunkBuffer payload) {
            throw new NoClassDefFoundError("put");
          }

          @Override
          public CompletableFuture<Fetched> get(ChunkKey key, HostMemory into) {
            throw new NoClassDefFoundError("get");
          }
        };
    GpuChunks on = new GpuChunks(engine, staging, broken, 2);
    assertThat(on.putFromDevice(all()).get(30, TimeUnit.SECONDS))
        .hasSize(CHUNKS)
        .allMatch(
            o ->
                o instanceof DevicePutOutcome.TransferFailed failed
                    && failed.cause() instanceof NoClassDefFoundError);
    assertThat(on.getToDevice(targets()).get(30, TimeUnit.SECONDS))
        .hasSize(CHUNKS)
        .allMatch(o -> o instanceof DeviceGetOutcome.TransferFailed);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void aStagingMemoryThatFailsFailsTheBatchAndKeepsNoLease(int nth) {
    AtomicInteger asked = new AtomicInteger();
    HostMemory broken =
        new ForwardingMemory(staging) {
          @Override
          public @Nullable ChunkBuffer tryLease(int length) {
            if (asked.incrementAndGet() >= nth) {
              throw new UnsupportedOperationException("no more");
            }
            return super.tryLease(length);
          }
        };
    GpuChunks on = new GpuChunks(engine, broken, store, 2);
    CompletableFuture<List<DevicePutOutcome>> put = on.putFromDevice(all());
    assertThatThrownBy(() -> put.get(30, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(UnsupportedOperationException.class);
    waitFor(() -> staging.leases() == 0);
  }

  @Test
  void targetsThatShareBytesAreRefused() {
    List<DeviceTarget> batch =
        List.of(
            new DeviceTarget(key(0), List.of(target.range(0, CHUNK))),
            new DeviceTarget(key(1), List.of(target.range(CHUNK - 1, CHUNK))));
    assertThatThrownBy(() -> chunks.getToDevice(batch))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("share");
    assertThat(store.asked).isEmpty();
  }

  @Test
  void anotherDevicesMemoryIsRefused() {
    HipDevice foreign = new FakeHip().device();
    try (DeviceBuffer buffer = foreign.allocate(CHUNK)) {
      DeviceChunk chunk = new DeviceChunk(key(0), metadata(CHUNK), List.of(buffer.range()));
      assertThatThrownBy(() -> chunks.putFromDevice(List.of(chunk)))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aClosedEngineFailsEachKeyAndAClosedMemoryTheBatch() {
    engine.close();
    assertThat(chunks.putFromDevice(all()).join())
        .hasSize(CHUNKS)
        .allMatch(o -> o instanceof DevicePutOutcome.CopyFailed);
    staging.close();
    assertThatThrownBy(chunks.putFromDevice(all())::join)
        .hasCauseInstanceOf(IllegalStateException.class);
  }

  @Test
  void tensOfThousandsOfChunksThatEndAtOnceDoNotExhaustTheStack() {
    List<DeviceTarget> batch = new ArrayList<>();
    for (int i = 0; i < 50_000; i++) {
      batch.add(new DeviceTarget(key(i), List.of(target.range(i, 1))));
    }
    assertThat(chunks.getToDevice(batch).join())
        .hasSize(50_000)
        .allMatch(o -> o instanceof DeviceGetOutcome.Miss);
  }

  @Test
  void anEmptyBatchIsDone() {
    assertThat(chunks.putFromDevice(List.of()).join()).isEmpty();
    assertThat(chunks.getToDevice(List.of()).join()).isEmpty();
  }
}
