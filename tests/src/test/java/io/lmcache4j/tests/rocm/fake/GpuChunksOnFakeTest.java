/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.store.ChunkStore;
import io.lmcache4j.redis.RedisChunkStore;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.rocm.ChunkTimes;
import io.lmcache4j.rocm.CopyEngine;
import io.lmcache4j.rocm.DeviceBuffer;
import io.lmcache4j.rocm.DeviceChunk;
import io.lmcache4j.rocm.DeviceGetOutcome;
import io.lmcache4j.rocm.DevicePutOutcome;
import io.lmcache4j.rocm.DeviceTarget;
import io.lmcache4j.rocm.GpuChunks;
import io.lmcache4j.rocm.HipException;
import io.lmcache4j.rocm.PinnedMemory;
import io.lmcache4j.tests.rocm.fake.FakeHip.Copied;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Device to pinned memory to a real Redis and back: eight chunks, told apart by their checksums,
 * and each fault on their way.
 */
@FakeGpu
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class GpuChunksOnFakeTest {

  private static final int CHUNKS = 8;

  /** What a chunk of 256 tokens of an 8B model has. */
  private static final int LARGE = 32 << 20;

  /** Enough for what has nothing to do with the size. */
  private static final int SMALL = 4 << 20;

  private static final int INVALID_VALUE = 1;
  private static final int TO_DEVICE = 1;
  private static final int TO_HOST = 2;

  private final FakeHip fake = FakeHip.install();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final long[] checksums = new long[CHUNKS];
  private LocalRedis redis;
  private RedisConnector connector;
  private CopyEngine engine;
  private @Nullable DeviceBuffer filled;
  private @Nullable DeviceBuffer poisoned;
  private int chunkBytes;

  @BeforeEach
  void connect() {
    fake.clearLog();
    redis = opened(LocalRedis.start());
    connector =
        opened(
            RedisConnector.open(
                RedisConnectorOptions.builder(redis.url())
                    .timeout(Duration.ofSeconds(20))
                    .build()));
    engine = opened(CopyEngine.open(fake.device(0)));
  }

  /** Fills eight chunks on the device; where they are to come back to is poisoned. */
  private void fillDevice(int bytes) {
    chunkBytes = bytes;
    filled = opened(fake.device(0).allocate((long) CHUNKS * chunkBytes));
    poisoned = opened(fake.device(0).allocate((long) CHUNKS * chunkBytes));
    byte[] chunk = new byte[chunkBytes];
    for (int i = 0; i < CHUNKS; i++) {
      fill(chunk, i);
      fake.poke(source(), offset(i), chunk);
      checksums[i] = checksum(chunk);
    }
  }

  @AfterEach
  void close() throws Exception {
    fake.release();
    for (int i = opened.size() - 1; i >= 0; i--) {
      opened.get(i).close();
    }
    fake.heal();
    fake.set("host_bytes", 0);
    fake.set("bandwidth", 0);
    Leaks.none(fake);
  }

  @Test
  void chunks_go_to_redis_and_come_back_by_copies_of_pinned_memory_alone() {
    fillDevice(LARGE);
    // A copy takes about 16 ms then, which is in the order of a SET of its bytes.
    fake.set("bandwidth", 2_000_000_000L);
    long pageable = fake.count("pageable");
    PinnedMemory staging = staging(3);
    GpuChunks gpu = chunks(staging, store());

    List<DevicePutOutcome> stored = put(gpu);
    assertThat(stored).hasOnlyElementsOfType(DevicePutOutcome.Stored.class);
    assertThat(get(gpu)).hasOnlyElementsOfType(DeviceGetOutcome.Loaded.class);

    for (int i = 0; i < CHUNKS; i++) {
      assertThat(loaded(i)).as("chunk %d", i).isEqualTo(checksums[i]);
    }
    assertThat(fake.log()).filteredOn(copy -> copy.direction() == TO_HOST).hasSize(CHUNKS);
    assertThat(fake.log()).filteredOn(copy -> copy.direction() == TO_DEVICE).hasSize(CHUNKS);
    assertThat(overlaps(stored)).as("pairs of a SET and another chunk's copy").isPositive();
    assertThat(fake.count("pageable")).isEqualTo(pageable);
    assertThat(staging.leases()).isZero();
    assertThat(connector.info().path().toString()).isEqualToIgnoringCase("zero-copy");
  }

  private int overlaps(List<DevicePutOutcome> stored) {
    List<Copied> copies = fake.log().subList(0, CHUNKS);
    int overlaps = 0;
    for (int n = 0; n < CHUNKS; n++) {
      ChunkTimes times = ((DevicePutOutcome.Stored) stored.get(n)).times();
      for (Copied copy : copies) {
        if (copy.from() != source().address() + offset(n)
            && copy.startedNanos() < times.transferEnded()
            && copy.endedNanos() > times.transferStarted()) {
          overlaps++;
        }
      }
    }
    return overlaps;
  }

  @Test
  void the_next_chunk_is_copied_before_the_set_of_the_one_before_is_over() {
    fillDevice(SMALL);
    AtomicInteger sets = new AtomicInteger();
    long[] setEnded = new long[CHUNKS];
    // The SET of a chunk is not sent before the copy of the next one is over: without an overlap
    // this would never end.
    ChunkStore waiting =
        new Wrapped(store()) {
          @Override
          public CompletionStage<Void> put(
              ChunkKey key, RemoteMetadata metadata, ChunkBuffer payload) {
            int index = sets.getAndIncrement();
            ChunkBuffer held = payload.retain();
            return CompletableFuture.runAsync(
                    () ->
                        Awaitility.await()
                            .until(() -> fake.log().size() >= Math.min(index + 2, CHUNKS)))
                .thenCompose(v -> inner.put(key, metadata, held))
                .whenComplete(
                    (v, failure) -> {
                      setEnded[index] = System.nanoTime();
                      held.release();
                    });
          }
        };

    assertThat(put(chunks(staging(2), waiting)))
        .hasOnlyElementsOfType(DevicePutOutcome.Stored.class);

    List<Copied> copies = fake.log();
    for (int n = 0; n + 1 < CHUNKS; n++) {
      assertThat(copies.get(n + 1).startedNanos()).as("copy %d", n + 1).isLessThan(setEnded[n]);
    }
  }

  @Test
  void without_pinned_memory_every_byte_is_right_all_the_same() {
    fillDevice(SMALL);
    fake.set("host_bytes", 4096);
    long pageable = fake.count("pageable");
    PinnedMemory staging = staging(3);
    GpuChunks gpu = chunks(staging, store());

    assertThat(staging.isPinned()).isFalse();
    assertThat(put(gpu)).hasOnlyElementsOfType(DevicePutOutcome.Stored.class);
    assertThat(get(gpu)).hasOnlyElementsOfType(DeviceGetOutcome.Loaded.class);

    for (int i = 0; i < CHUNKS; i++) {
      assertThat(loaded(i)).as("chunk %d", i).isEqualTo(checksums[i]);
    }
    assertThat(fake.count("pageable")).isEqualTo(pageable + 2 * CHUNKS);
  }

  @Test
  void room_for_one_chunk_is_enough_for_all_of_them_in_turn() {
    fillDevice(SMALL);
    GpuChunks gpu = new GpuChunks(engine, staging(1), store(), 4);

    assertThat(put(gpu)).hasOnlyElementsOfType(DevicePutOutcome.Stored.class);
    assertThat(get(gpu)).hasOnlyElementsOfType(DeviceGetOutcome.Loaded.class);

    for (int i = 0; i < CHUNKS; i++) {
      assertThat(loaded(i)).as("chunk %d", i).isEqualTo(checksums[i]);
    }
  }

  @Test
  void memory_that_others_hold_is_an_outcome() {
    fillDevice(SMALL);
    PinnedMemory staging = staging(1);
    GpuChunks gpu = chunks(staging, store());
    ChunkBuffer all = staging.tryLease(chunkBytes);
    assertThat(all).isNotNull();

    assertThat(put(gpu)).hasOnlyElementsOfType(DevicePutOutcome.NoMemory.class);

    all.release();
    assertNotStored(0, CHUNKS);
  }

  @Test
  void without_room_for_one_chunk_nothing_is_copied_or_stored() {
    fillDevice(SMALL);
    PinnedMemory staging = opened(PinnedMemory.allocate(fake.device(0), chunkBytes - 4096));
    GpuChunks gpu = chunks(staging, store());

    assertThat(put(gpu)).hasOnlyElementsOfType(DevicePutOutcome.NoMemory.class);
    assertThat(get(gpu)).hasOnlyElementsOfType(DeviceGetOutcome.NoMemory.class);

    assertThat(fake.log()).isEmpty();
    assertNotStored(0, CHUNKS);
    assertUntouched(0, CHUNKS);
  }

  @Test
  void a_copy_that_fails_never_stores_its_key_and_touches_no_other() {
    fillDevice(SMALL);
    GpuChunks gpu = chunks(staging(2), store());

    fake.inject("hipMemcpyAsync", 3, INVALID_VALUE);
    List<DevicePutOutcome> outcomes = put(gpu);

    assertThat(outcomes.get(2))
        .isInstanceOfSatisfying(
            DevicePutOutcome.CopyFailed.class, failed -> assertCode(failed.cause(), INVALID_VALUE));
    outcomes.remove(2);
    assertThat(outcomes).hasOnlyElementsOfType(DevicePutOutcome.Stored.class);
    assertNotStored(2, 3);
    assertStored(0, 2);
    assertStored(3, CHUNKS);
  }

  @Test
  void a_copy_back_that_fails_touches_no_other_range_nor_does_a_miss() {
    fillDevice(SMALL);
    GpuChunks gpu = chunks(staging(2), store());
    assertThat(put(gpu)).hasOnlyElementsOfType(DevicePutOutcome.Stored.class);
    connector.sync().remove(key(1));

    fake.inject("hipMemcpyAsync", 3, INVALID_VALUE);
    List<DeviceGetOutcome> outcomes = get(gpu);

    int failed = -1;
    for (int i = 0; i < CHUNKS; i++) {
      if (outcomes.get(i) instanceof DeviceGetOutcome.CopyFailed copyFailed) {
        assertThat(failed).isEqualTo(-1);
        assertCode(copyFailed.cause(), INVALID_VALUE);
        failed = i;
      } else if (i == 1) {
        assertThat(outcomes.get(i)).isInstanceOf(DeviceGetOutcome.Miss.class);
        assertUntouched(1, 2);
      } else {
        assertThat(outcomes.get(i)).isInstanceOf(DeviceGetOutcome.Loaded.class);
        assertThat(loaded(i)).as("chunk %d", i).isEqualTo(checksums[i]);
      }
    }
    assertThat(failed).isNotNegative();
    assertUntouched(failed, failed + 1);
  }

  @Test
  void a_device_lost_on_the_way_out_stores_what_had_been_copied_and_nothing_else() {
    fillDevice(SMALL);
    PinnedMemory staging = staging(2);
    GpuChunks gpu = chunks(staging, store());
    fake.inject(FakeHip.RUNNING_COPY, 4, FakeHip.LAUNCH_FAILURE);

    List<DevicePutOutcome> outcomes = put(gpu);

    // The third copy may have been over and its event not yet looked at.
    int stored = 0;
    while (outcomes.get(stored) instanceof DevicePutOutcome.Stored) {
      stored++;
    }
    assertThat(stored).isBetween(2, 3);
    for (DevicePutOutcome outcome : outcomes.subList(stored, CHUNKS)) {
      assertThat(outcome)
          .isInstanceOfSatisfying(
              DevicePutOutcome.CopyFailed.class,
              failed -> assertCode(failed.cause(), FakeHip.LAUNCH_FAILURE));
    }
    assertStored(0, stored);
    assertNotStored(stored, CHUNKS);
    assertThat(engine.loss()).isNotNull();
    assertThat(put(gpu)).hasOnlyElementsOfType(DevicePutOutcome.CopyFailed.class);
    assertThat(staging.leases()).isZero();
  }

  @Test
  void a_device_lost_on_the_way_in_fails_the_rest_key_by_key() {
    fillDevice(SMALL);
    PinnedMemory staging = staging(2);
    GpuChunks gpu = chunks(staging, store());
    assertThat(put(gpu)).hasOnlyElementsOfType(DevicePutOutcome.Stored.class);
    fake.inject(FakeHip.RUNNING_COPY, 4, FakeHip.LAUNCH_FAILURE);

    List<DeviceGetOutcome> outcomes = get(gpu);

    long failures = 0;
    for (int i = 0; i < CHUNKS; i++) {
      if (outcomes.get(i) instanceof DeviceGetOutcome.CopyFailed failed) {
        assertCode(failed.cause(), FakeHip.LAUNCH_FAILURE);
        failures++;
      } else {
        assertThat(outcomes.get(i)).isInstanceOf(DeviceGetOutcome.Loaded.class);
        assertThat(loaded(i)).as("chunk %d", i).isEqualTo(checksums[i]);
      }
    }
    assertThat(failures).isBetween(5L, 6L);
    assertThat(staging.leases()).isZero();
  }

  @Test
  void redis_killed_on_the_way_out_fails_the_rest_key_by_key() {
    fillDevice(LARGE);
    PinnedMemory staging = staging(2);
    AtomicInteger puts = new AtomicInteger();
    ChunkStore killing =
        new Wrapped(store()) {
          @Override
          public CompletionStage<Void> put(
              ChunkKey key, RemoteMetadata metadata, ChunkBuffer payload) {
            if (puts.incrementAndGet() == 3) {
              killRedis();
            }
            return inner.put(key, metadata, payload);
          }
        };

    List<DevicePutOutcome> outcomes = put(chunks(staging, killing));

    // The third begins when one of the first two is over, whichever that is.
    assertThat(outcomes.subList(0, 2)).hasAtLeastOneElementOfType(DevicePutOutcome.Stored.class);
    assertThat(outcomes.subList(2, CHUNKS))
        .hasOnlyElementsOfType(DevicePutOutcome.TransferFailed.class);
    Awaitility.await().until(() -> staging.leases() == 0);
  }

  @Test
  void redis_killed_on_the_way_in_leaves_the_ranges_of_the_rest_untouched() {
    fillDevice(LARGE);
    PinnedMemory staging = staging(2);
    assertThat(put(chunks(staging, store()))).hasOnlyElementsOfType(DevicePutOutcome.Stored.class);
    AtomicInteger gets = new AtomicInteger();
    ChunkStore killing =
        new Wrapped(store()) {
          @Override
          public CompletionStage<Fetched> get(ChunkKey key, HostMemory into) {
            if (gets.incrementAndGet() == 3) {
              killRedis();
            }
            return inner.get(key, into);
          }
        };

    List<DeviceGetOutcome> outcomes = get(chunks(staging, killing));

    for (int i = 0; i < CHUNKS; i++) {
      if (outcomes.get(i) instanceof DeviceGetOutcome.Loaded) {
        assertThat(i).isLessThan(2);
        assertThat(loaded(i)).as("chunk %d", i).isEqualTo(checksums[i]);
      } else {
        assertThat(outcomes.get(i)).isInstanceOf(DeviceGetOutcome.TransferFailed.class);
        assertUntouched(i, i + 1);
      }
    }
    assertThat(outcomes.subList(2, CHUNKS))
        .hasOnlyElementsOfType(DeviceGetOutcome.TransferFailed.class);
    Awaitility.await().until(() -> staging.leases() == 0);
  }

  @Test
  void a_cancelled_put_begins_no_further_chunk_and_waits_for_the_device() {
    fillDevice(SMALL);
    PinnedMemory staging = staging(2);
    GpuChunks gpu = chunks(staging, store());
    long before = fake.calls("hipMemcpyAsync");
    fake.hold();
    CompletableFuture<List<DevicePutOutcome>> batch = gpu.putFromDevice(deviceChunks());
    Awaitility.await().until(() -> fake.calls("hipMemcpyAsync") == before + 2);

    batch.cancel(true);

    assertThat(staging.leases()).as("leases that the device may write").isEqualTo(2);
    fake.release();
    Awaitility.await().until(() -> staging.leases() == 0);
    assertThat(fake.log()).hasSize(2);
    assertNotStored(0, CHUNKS);
    assertThat(put(gpu)).hasOnlyElementsOfType(DevicePutOutcome.Stored.class);
  }

  @Test
  void a_cancelled_get_begins_no_further_chunk_and_waits_for_the_device() {
    fillDevice(SMALL);
    PinnedMemory staging = staging(2);
    GpuChunks gpu = chunks(staging, store());
    assertThat(put(gpu)).hasOnlyElementsOfType(DevicePutOutcome.Stored.class);
    fake.clearLog();
    long before = fake.calls("hipMemcpyAsync");
    fake.hold();
    CompletableFuture<List<DeviceGetOutcome>> batch = gpu.getToDevice(targets());
    Awaitility.await().until(() -> fake.calls("hipMemcpyAsync") == before + 2);

    batch.cancel(true);

    assertThat(staging.leases()).as("leases that the device may read").isEqualTo(2);
    fake.release();
    Awaitility.await().until(() -> staging.leases() == 0);
    assertThat(fake.log()).hasSize(2);
    assertUntouched(2, CHUNKS);
    assertThat(get(gpu)).hasOnlyElementsOfType(DeviceGetOutcome.Loaded.class);
  }

  private DeviceBuffer source() {
    return Objects.requireNonNull(filled);
  }

  private DeviceBuffer target() {
    return Objects.requireNonNull(poisoned);
  }

  private <T extends AutoCloseable> T opened(T resource) {
    opened.add(resource);
    return resource;
  }

  private PinnedMemory staging(int chunks) {
    return opened(PinnedMemory.allocate(fake.device(0), (long) chunks * chunkBytes));
  }

  private ChunkStore store() {
    return new RedisChunkStore(connector);
  }

  private GpuChunks chunks(PinnedMemory staging, ChunkStore store) {
    return new GpuChunks(engine, staging, store, GpuChunks.DEFAULT_DEPTH);
  }

  private List<DevicePutOutcome> put(GpuChunks gpu) {
    return new ArrayList<>(gpu.putFromDevice(deviceChunks()).join());
  }

  private List<DeviceGetOutcome> get(GpuChunks gpu) {
    return gpu.getToDevice(targets()).join();
  }

  private List<DeviceChunk> deviceChunks() {
    RemoteMetadata metadata =
        RemoteMetadata.of(
            MemoryFormat.KV_2LTD, Shape.of(2, 32, 256, chunkBytes >> 15), DType.BFLOAT16);
    List<DeviceChunk> all = new ArrayList<>();
    for (int i = 0; i < CHUNKS; i++) {
      all.add(new DeviceChunk(key(i), metadata, List.of(source().range(offset(i), chunkBytes))));
    }
    return all;
  }

  private List<DeviceTarget> targets() {
    List<DeviceTarget> all = new ArrayList<>();
    for (int i = 0; i < CHUNKS; i++) {
      all.add(new DeviceTarget(key(i), List.of(target().range(offset(i), chunkBytes))));
    }
    return all;
  }

  private static CacheEngineKey key(int index) {
    return CacheEngineKey.of("fake/model", 1, 0, 0x1000L + index, DType.BFLOAT16);
  }

  private long offset(int index) {
    return (long) index * chunkBytes;
  }

  private long loaded(int index) {
    return checksum(fake.peek(target(), offset(index), chunkBytes));
  }

  /** Numbers without a pattern (SplitMix64), quickly: each test needs 256 MiB of them. */
  private static void fill(byte[] chunk, long seed) {
    LongBuffer numbers = ByteBuffer.wrap(chunk).asLongBuffer();
    long state = seed;
    while (numbers.hasRemaining()) {
      state += 0x9E3779B97F4A7C15L;
      long mixed = (state ^ (state >>> 30)) * 0xBF58476D1CE4E5B9L;
      numbers.put(mixed ^ (mixed >>> 27));
    }
  }

  private static long checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return crc.getValue();
  }

  private void assertUntouched(int from, int to) {
    byte[] poison = new byte[chunkBytes];
    Arrays.fill(poison, FakeHip.POISON);
    for (int i = from; i < to; i++) {
      assertThat(loaded(i)).as("range of chunk %d", i).isEqualTo(checksum(poison));
    }
  }

  private void assertStored(int from, int to) {
    for (int i = from; i < to; i++) {
      assertThat(connector.sync().exists(key(i))).as("chunk %d", i).isTrue();
    }
  }

  private void assertNotStored(int from, int to) {
    for (int i = from; i < to; i++) {
      assertThat(connector.sync().exists(key(i))).as("chunk %d", i).isFalse();
    }
  }

  private static void assertCode(Throwable cause, int code) {
    assertThat(cause)
        .isInstanceOfSatisfying(
            HipException.class, failure -> assertThat(failure.code()).isEqualTo(code));
  }

  private void killRedis() {
    ProcessHandle.of(redis.pid()).ifPresent(ProcessHandle::destroyForcibly);
  }

  /** A store that hands on, so that a test may step in. */
  private static class Wrapped implements ChunkStore {

    final ChunkStore inner;

    Wrapped(ChunkStore inner) {
      this.inner = inner;
    }

    @Override
    public CompletionStage<Void> put(ChunkKey key, RemoteMetadata metadata, ChunkBuffer payload) {
      return inner.put(key, metadata, payload);
    }

    @Override
    public CompletionStage<Fetched> get(ChunkKey key, HostMemory into) {
      return inner.get(key, into);
    }
  }
}
