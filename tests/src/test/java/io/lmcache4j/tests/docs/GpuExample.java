/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.docs;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.redis.RedisChunkStore;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.rocm.CopyEngine;
import io.lmcache4j.rocm.DeviceBuffer;
import io.lmcache4j.rocm.DeviceChunk;
import io.lmcache4j.rocm.DeviceGetOutcome;
import io.lmcache4j.rocm.DevicePutOutcome;
import io.lmcache4j.rocm.DeviceTarget;
import io.lmcache4j.rocm.GpuChunks;
import io.lmcache4j.rocm.HipDevice;
import io.lmcache4j.rocm.HipRuntime;
import io.lmcache4j.rocm.PinnedMemory;
import java.util.ArrayList;
import java.util.List;

/** The example of docs/ROCM.md, word for word. */
public final class GpuExample {

  private GpuExample() {}

  /** Stores chunks from a device and loads them again; returns how many came back. */
  public static long roundTrip(String url, List<ChunkKey> keys, RemoteMetadata metadata) {
    // tag::example
    HipDevice gpu = HipRuntime.find().orElseThrow().devices().get(0);
    long bytes = metadata.length();
    try (PinnedMemory staging = PinnedMemory.allocate(gpu, 256L << 20);
        DeviceBuffer cache = gpu.allocate(keys.size() * bytes);
        CopyEngine engine = CopyEngine.open(gpu);
        RedisConnector redis = RedisConnector.open(url)) {
      GpuChunks chunks =
          new GpuChunks(engine, staging, new RedisChunkStore(redis), GpuChunks.DEFAULT_DEPTH);
      List<DeviceChunk> out = new ArrayList<>();
      List<DeviceTarget> in = new ArrayList<>();
      for (ChunkKey key : keys) { // here chunk after chunk; any ranges of the device will do
        var where = List.of(cache.range(out.size() * bytes, bytes));
        out.add(new DeviceChunk(key, metadata, where));
        in.add(new DeviceTarget(key, where));
      }

      // Each Stored, NoMemory, CopyFailed or TransferFailed
      List<DevicePutOutcome> stored = chunks.putFromDevice(out).join();
      System.out.println(stored);

      // Each Loaded, Miss, Unusable, NoMemory, TransferFailed or CopyFailed
      List<DeviceGetOutcome> loaded = chunks.getToDevice(in).join();
      return loaded.stream().filter(one -> one instanceof DeviceGetOutcome.Loaded).count();
    }
    // end::example
  }
}
