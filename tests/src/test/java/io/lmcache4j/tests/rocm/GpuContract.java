/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.RedisChunkStore;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.rocm.CopyEngine;
import io.lmcache4j.rocm.CopyTimes;
import io.lmcache4j.rocm.DeviceBuffer;
import io.lmcache4j.rocm.DeviceChunk;
import io.lmcache4j.rocm.DeviceGetOutcome;
import io.lmcache4j.rocm.DevicePutOutcome;
import io.lmcache4j.rocm.DeviceRange;
import io.lmcache4j.rocm.DeviceTarget;
import io.lmcache4j.rocm.GpuChunks;
import io.lmcache4j.rocm.HipDevice;
import io.lmcache4j.rocm.HipException;
import io.lmcache4j.rocm.HipRuntime;
import io.lmcache4j.rocm.PinnedMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What holds on every device, real or fake, without looking behind the runtime: whatever is written
 * to device memory is only seen by copying it back.
 */
@Timeout(300)
public abstract class GpuContract {

  private static final int MIB = 1 << 20;

  /** How the host memory of a test is come by. */
  enum Source {
    ALLOCATED,
    ON_NODE,
    SHARED,
    UNPINNED
  }

  /** The device to test; the first of the runtime's. */
  protected HipDevice device() {
    return HipRuntime.find().orElseThrow().devices().get(0);
  }

  private PinnedMemory memory(Source source, long bytes) {
    return switch (source) {
      case ALLOCATED -> PinnedMemory.allocate(device(), bytes);
      case ON_NODE -> PinnedMemory.onNode(device(), bytes);
      case SHARED -> PinnedMemory.shared(device(), "lmcache4j-" + UUID.randomUUID(), bytes);
      case UNPINNED -> PinnedMemory.allocate(null, bytes);
    };
  }

  private static ChunkBuffer lease(PinnedMemory memory, int bytes) {
    return requireNonNull(memory.tryLease(bytes), "no lease");
  }

  private static byte[] random(int seed, int bytes) {
    byte[] content = new byte[bytes];
    new Random(seed).nextBytes(content);
    return content;
  }

  private static byte[] bytes(ChunkBuffer lease) {
    byte[] content = new byte[lease.length()];
    lease.nio().get(content);
    return content;
  }

  @Test
  void a_device_has_a_name_a_place_and_memory() {
    HipDevice device = device();
    assertThat(device.name()).isNotBlank();
    assertThat(device.pciBusId()).matches("[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.\\d");
    assertThat(device.memory().total()).isPositive();
    assertThat(device.memory().free()).isBetween(0L, device.memory().total());
  }

  @ParameterizedTest
  @EnumSource
  void bytes_go_to_the_device_and_come_back(Source source) {
    int bytes = 16 * MIB + 4096;
    byte[] content = random(1, bytes);
    try (PinnedMemory memory = memory(source, 2L * bytes);
        DeviceBuffer buffer = device().allocate(bytes);
        CopyEngine engine = CopyEngine.open(device());
        ChunkBuffer there = lease(memory, bytes);
        ChunkBuffer back = lease(memory, bytes)) {
      assertThat(memory.isPinned()).isEqualTo(source != Source.UNPINNED);
      there.nio().put(content);
      engine.toDevice(there, List.of(buffer.range())).join();
      engine.toHost(List.of(buffer.range()), back).join();
      assertThat(bytes(back)).isEqualTo(content);
    }
  }

  @Test
  void strided_ranges_are_gathered_and_scattered() {
    int width = 1024;
    int pitch = 2560;
    int rows = 777;
    int all = pitch * rows;
    byte[] content = random(2, all);
    try (PinnedMemory memory = memory(Source.ALLOCATED, 8L * MIB);
        DeviceBuffer buffer = device().allocate(all);
        CopyEngine engine = CopyEngine.open(device());
        ChunkBuffer whole = lease(memory, all);
        ChunkBuffer dense = lease(memory, width * rows)) {
      whole.nio().put(content);
      engine.toDevice(whole, List.of(buffer.range())).join();
      DeviceRange columns = new DeviceRange(buffer, 512, width, pitch, rows);
      engine.toHost(List.of(columns), dense).join();
      byte[] expected = new byte[width * rows];
      for (int row = 0; row < rows; row++) {
        System.arraycopy(content, row * pitch + 512, expected, row * width, width);
      }
      assertThat(bytes(dense)).isEqualTo(expected);
      byte[] others = random(3, width * rows);
      dense.nio().put(others);
      engine.toDevice(dense, List.of(columns)).join();
      engine.toHost(List.of(buffer.range()), whole).join();
      for (int row = 0; row < rows; row++) {
        System.arraycopy(others, row * width, content, row * pitch + 512, width);
      }
      assertThat(bytes(whole)).isEqualTo(content);
    }
  }

  @Test
  void many_copies_on_several_streams_all_arrive() {
    int piece = 256 * 1024;
    int pieces = 200;
    byte[] content = random(4, piece * pieces);
    try (PinnedMemory memory = memory(Source.ALLOCATED, (long) piece * pieces);
        DeviceBuffer buffer = device().allocate((long) piece * pieces);
        CopyEngine engine = CopyEngine.open(device(), 3, 8L * MIB)) {
      List<ChunkBuffer> leases = new ArrayList<>();
      List<CompletableFuture<CopyTimes>> copies = new ArrayList<>();
      for (int i = 0; i < pieces; i++) {
        ChunkBuffer lease = lease(memory, piece);
        leases.add(lease);
        lease.nio().put(content, i * piece, piece);
        DeviceRange range = buffer.range((long) i * piece, piece);
        copies.add(
            engine
                .toDevice(lease, List.of(range))
                .thenCompose(
                    times -> {
                      lease.nio().put(new byte[piece]);
                      return engine.toHost(List.of(range), lease);
                    }));
      }
      for (int i = 0; i < pieces; i++) {
        copies.get(i).join();
        byte[] back = bytes(leases.get(i));
        assertThat(back).isEqualTo(Arrays.copyOfRange(content, i * piece, (i + 1) * piece));
        leases.get(i).close();
      }
    }
  }

  @Test
  void more_memory_than_the_device_has_is_an_exception() {
    long tooMuch = device().memory().total() + (1L << 30);
    assertThatThrownBy(() -> device().allocate(tooMuch))
        .isInstanceOfSatisfying(
            HipException.class,
            e -> {
              assertThat(e.code()).isEqualTo(2);
              assertThat(e.isDeviceLost()).isFalse();
            });
  }

  @Test
  void chunks_go_to_redis_and_come_back() {
    int chunk = 8 * MIB;
    int chunks = 4;
    byte[] content = random(5, chunk * chunks);
    try (LocalRedis redis = LocalRedis.start();
        RedisConnector connector = RedisConnector.open(redis.url());
        PinnedMemory memory = memory(Source.ALLOCATED, (long) chunk * chunks);
        DeviceBuffer source = device().allocate((long) chunk * chunks);
        DeviceBuffer target = device().allocate((long) chunk * chunks);
        CopyEngine engine = CopyEngine.open(device())) {
      try (ChunkBuffer lease = lease(memory, chunk * chunks)) {
        lease.nio().put(content);
        engine.toDevice(lease, List.of(source.range())).join();
      }
      GpuChunks path = new GpuChunks(engine, memory, new RedisChunkStore(connector), 2);
      RemoteMetadata metadata =
          RemoteMetadata.of(
              MemoryFormat.KV_2LTD,
              Shape.of(2, 32, 256, chunk / (2 * 32 * 256 * 2)),
              DType.BFLOAT16);
      List<DeviceChunk> batch = new ArrayList<>();
      List<DeviceTarget> targets = new ArrayList<>();
      for (int i = 0; i < chunks; i++) {
        ChunkKey key = ChunkKey.parse("model@1@0@" + Integer.toHexString(i + 1) + "@bfloat16");
        batch.add(new DeviceChunk(key, metadata, List.of(source.range((long) i * chunk, chunk))));
        targets.add(new DeviceTarget(key, List.of(target.range((long) i * chunk, chunk))));
      }
      assertThat(path.putFromDevice(batch).join())
          .allMatch(outcome -> outcome instanceof DevicePutOutcome.Stored);
      assertThat(path.getToDevice(targets).join())
          .allMatch(outcome -> outcome instanceof DeviceGetOutcome.Loaded);
      try (ChunkBuffer lease = lease(memory, chunk * chunks)) {
        engine.toHost(List.of(target.range()), lease).join();
        assertThat(bytes(lease)).isEqualTo(content);
      }
    }
  }
}
