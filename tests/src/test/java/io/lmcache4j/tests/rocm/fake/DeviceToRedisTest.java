/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
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
import io.lmcache4j.rocm.HipDevice;
import io.lmcache4j.rocm.PinnedMemory;
import io.lmcache4j.tests.rocm.RedisChunkTransport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Device, pinned memory, a real Redis and back: eight chunks, and each fault on their way.
 *
 * <p>The fake runtime copies at a bandwidth, so that there is something to overlap, and the times
 * of its log are those of the device's side.
 */
@FakeGpu
@Timeout(120)
class DeviceToRedisTest {

  private static final int CHUNKS = 8;
  private static final int LARGE = 32 << 20;
  private static final int SMALL = 1 << 20;
  private static final int DEVICE_TO_HOST = 2;

  /** Fills the chunk's ranges on the device that nothing is to be written to. */
  private static final byte UNTOUCHED = 0x55;

  private final FakeHip fake = FakeHip.install();
  private final HipDevice device = fake.device(0);
  private final LocalRedis redis = LocalRedis.start();
  private final RedisConnector connector =
      RedisConnector.open(
          RedisConnectorOptions.builder(redis.url())
              // One connection: chunks end in the order in which they begin.
              .dataConnections(1)
              .timeout(Duration.ofSeconds(20))
              .build());
  private @Nullable Path8 path;

  /** All that a batch of eight chunks needs. */
  private final class Path8 implements AutoCloseable {

    final int chunk;
    final DeviceBuffer source;
    final DeviceBuffer target;
    final PinnedMemory staging;
    final CopyEngine engine;
    final GpuChunks chunks;
    final long[] checksums = new long[CHUNKS];

    Path8(int chunk) {
      this.chunk = chunk;
      source = device.allocate((long) CHUNKS * chunk);
      target = device.allocate((long) CHUNKS * chunk);
      staging = PinnedMemory.allocate(device, 3L * chunk);
      engine = CopyEngine.open(device);
      chunks =
          new GpuChunks(
              engine, staging, new RedisChunkTransport(connector), GpuChunks.DEFAULT_DEPTH);
      byte[] content = new byte[chunk];
      byte[] untouched = new byte[chunk];
      Arrays.fill(untouched, UNTOUCHED);
      for (int i = 0; i < CHUNKS; i++) {
        new Random(i).nextBytes(content);
        checksums[i] = checksum(content);
        fake.poke(source, (long) i * chunk, content);
        fake.poke(target, (long) i * chunk, untouched);
      }
    }

    List<DeviceChunk> batch() {
      RemoteMetadata metadata =
          RemoteMetadata.of(
              MemoryFormat.KV_2LTD,
              Shape.of(2, 32, 256, chunk / (2 * 32 * 256 * 2)),
              DType.BFLOAT16);
      List<DeviceChunk> batch = new ArrayList<>();
      for (int i = 0; i < CHUNKS; i++) {
        batch.add(
            new DeviceChunk(key(i), metadata, List.of(source.range((long) i * chunk, chunk))));
      }
      return batch;
    }

    List<DeviceTarget> targets() {
      List<DeviceTarget> targets = new ArrayList<>();
      for (int i = 0; i < CHUNKS; i++) {
        targets.add(new DeviceTarget(key(i), List.of(target.range((long) i * chunk, chunk))));
      }
      return targets;
    }

    /** Each chunk of the target either is the stored one, or was never touched. */
    void checkTarget(List<DeviceGetOutcome> outcomes) {
      for (int i = 0; i < CHUNKS; i++) {
        byte[] there = fake.peek(target, (long) i * chunk, chunk);
        if (outcomes.get(i) instanceof DeviceGetOutcome.Loaded) {
          assertThat(checksum(there)).as("chunk %d", i).isEqualTo(checksums[i]);
        } else {
          assertThat(there).as("chunk %d", i).containsOnly(UNTOUCHED);
        }
      }
    }

    @Override
    public void close() {
      engine.close();
      source.close();
      target.close();
      await().until(() -> staging.leases() == 0);
      staging.close();
    }
  }

  private Path8 open(int chunk) {
    path = new Path8(chunk);
    return path;
  }

  @AfterEach
  void close() {
    fake.release();
    fake.heal();
    fake.set("bandwidth", 0);
    fake.set("host_bytes", 0);
    if (path != null) {
      path.close();
    }
    connector.close();
    redis.close();
    Leaks.none(fake);
  }

  private static ChunkKey key(int i) {
    return ChunkKey.parse(
        "meta-llama/Llama-3.1-8B@1@0@" + Integer.toHexString(0xabc0 + i) + "@bfloat16");
  }

  private static long checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return crc.getValue();
  }

  private int stored() {
    int count = 0;
    for (int i = 0; i < CHUNKS; i++) {
      count += connector.sync().exists(key(i)) ? 1 : 0;
    }
    return count;
  }

  @Test
  void eight_chunks_of_32_mib_come_back_as_they_were_and_copies_overlap_transfers() {
    Path8 path = open(LARGE);
    // 32 MiB in 10 ms: about as long as Redis takes for them on this loopback.
    fake.set("bandwidth", 100L * LARGE);
    fake.clearLog();

    List<DevicePutOutcome> put = path.chunks.putFromDevice(path.batch()).join();

    List<ChunkTimes> times = new ArrayList<>();
    for (DevicePutOutcome outcome : put) {
      assertThat(outcome).isInstanceOf(DevicePutOutcome.Stored.class);
      times.add(((DevicePutOutcome.Stored) outcome).times());
    }
    List<FakeHip.Copied> copies = fake.log();
    assertThat(copies)
        .hasSize(CHUNKS)
        .allMatch(copy -> copy.bytes() == LARGE && copy.direction() == DEVICE_TO_HOST);
    for (int i = 0; i < CHUNKS; i++) {
      assertThat(copies.get(i).endedNanos())
          .as("the SET of chunk %d begins when its copy is over", i)
          .isLessThanOrEqualTo(times.get(i).transferStarted());
      if (i + 1 < CHUNKS) {
        assertThat(copies.get(i + 1).startedNanos())
            .as("the copy of chunk %d begins before the SET of chunk %d ends", i + 1, i)
            .isLessThan(times.get(i).transferEnded());
      }
    }

    List<DeviceGetOutcome> got = path.chunks.getToDevice(path.targets()).join();

    assertThat(got).allMatch(outcome -> outcome instanceof DeviceGetOutcome.Loaded);
    path.checkTarget(got);
    assertThat(fake.count("pageable")).isZero();
    assertThat(connector.info().path().toString()).isEqualToIgnoringCase("zero-copy");
  }

  @Test
  void without_pinned_memory_everything_arrives_all_the_same() {
    fake.set("host_bytes", 4096);
    Path8 path = open(SMALL);
    assertThat(path.staging.isPinned()).isFalse();
    long before = fake.count("pageable");

    assertThat(path.chunks.putFromDevice(path.batch()).join())
        .allMatch(outcome -> outcome instanceof DevicePutOutcome.Stored);
    List<DeviceGetOutcome> got = path.chunks.getToDevice(path.targets()).join();

    assertThat(got).allMatch(outcome -> outcome instanceof DeviceGetOutcome.Loaded);
    path.checkTarget(got);
    assertThat(fake.count("pageable") - before).isEqualTo(2 * CHUNKS);
  }

  @Test
  void a_chunk_whose_copy_fails_is_not_stored_and_the_others_are() {
    Path8 path = open(SMALL);
    fake.inject("hipMemcpyAsync", 3, 1);

    List<DevicePutOutcome> put = path.chunks.putFromDevice(path.batch()).join();

    assertThat(put.get(2)).isInstanceOf(DevicePutOutcome.CopyFailed.class);
    assertThat(put).filteredOn(o -> o instanceof DevicePutOutcome.Stored).hasSize(CHUNKS - 1);
    assertThat(connector.sync().exists(key(2))).isFalse();
    assertThat(stored()).isEqualTo(CHUNKS - 1);
  }

  @Test
  void a_get_whose_copy_fails_touches_no_other_chunk() {
    Path8 path = open(SMALL);
    path.chunks.putFromDevice(path.batch()).join();
    connector.sync().remove(key(1));
    fake.inject("hipMemcpyAsync", 4, 1);

    List<DeviceGetOutcome> got = path.chunks.getToDevice(path.targets()).join();

    assertThat(got.get(1)).isInstanceOf(DeviceGetOutcome.Miss.class);
    assertThat(got.get(4)).isInstanceOf(DeviceGetOutcome.CopyFailed.class);
    assertThat(got).filteredOn(o -> o instanceof DeviceGetOutcome.Loaded).hasSize(CHUNKS - 2);
    path.checkTarget(got);
  }

  @Test
  void a_device_that_is_lost_fails_what_is_left_and_stores_none_of_it() {
    Path8 path = open(SMALL);
    fake.inject(FakeHip.RUNNING_COPY, 4, FakeHip.LAUNCH_FAILURE);

    List<DevicePutOutcome> put = path.chunks.putFromDevice(path.batch()).join();

    assertThat(put.subList(0, 3)).allMatch(o -> o instanceof DevicePutOutcome.Stored);
    assertThat(put.subList(3, CHUNKS)).allMatch(o -> o instanceof DevicePutOutcome.CopyFailed);
    assertThat(path.engine.loss()).isNotNull();
    assertThat(stored()).isEqualTo(3);
  }

  @Test
  void a_redis_that_is_killed_fails_the_keys_and_leaves_the_device_alone() {
    Path8 path = open(SMALL);
    path.chunks.putFromDevice(path.batch()).join();
    fake.clearLog();
    // The first copies to the device wait, so that the rest of the batch meets a dead server.
    fake.hold();
    CompletableFuture<List<DeviceGetOutcome>> get = path.chunks.getToDevice(path.targets());
    await().until(() -> path.engine.bytesInFlight() > 0);
    redis.close();
    fake.release();

    List<DeviceGetOutcome> got = get.join();

    assertThat(got).filteredOn(o -> o instanceof DeviceGetOutcome.Loaded).hasSizeBetween(1, 2);
    assertThat(got.subList(2, CHUNKS))
        .allMatch(outcome -> outcome instanceof DeviceGetOutcome.TransferFailed);
    path.checkTarget(got);
    assertThat(path.chunks.putFromDevice(path.batch().subList(0, 1)).join())
        .allMatch(outcome -> outcome instanceof DevicePutOutcome.TransferFailed);
  }

  @Test
  void a_batch_that_is_cancelled_begins_nothing_more_and_returns_every_lease() {
    Path8 path = open(SMALL);
    fake.hold();
    CompletableFuture<List<DevicePutOutcome>> put = path.chunks.putFromDevice(path.batch());
    await().until(() -> path.engine.bytesInFlight() == 2 * SMALL);
    put.cancel(false);
    assertThatThrownBy(put::join).isInstanceOf(CancellationException.class);
    assertThat(path.staging.leases()).isEqualTo(2);
    fake.release();

    await().until(() -> path.staging.leases() == 0);
    assertThat(stored()).isZero();
    assertThat(path.chunks.putFromDevice(path.batch()).join())
        .allMatch(outcome -> outcome instanceof DevicePutOutcome.Stored);
  }

  @Test
  void memory_that_others_hold_is_an_outcome() {
    Path8 path = open(SMALL);
    try (var all = path.staging.tryLease(3 * SMALL)) {
      assertThat(all).isNotNull();
      assertThat(path.chunks.putFromDevice(path.batch()).join())
          .allMatch(outcome -> outcome instanceof DevicePutOutcome.NoMemory);
    }
    assertThat(stored()).isZero();
  }
}
