/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A GPU. Its rare and slow calls (allocate, free) are made one after the other on a thread of its
 * own, which exists while there is something to do.
 */
public final class HipDevice {

  private static final Logger log = LoggerFactory.getLogger(HipDevice.class);

  private static final int IDLE_SECONDS = 10;

  private final HipApi api;
  private final int index;
  private final String name;
  private final String pciBusId;
  private final OptionalInt numaNode;
  private final ThreadPoolExecutor calls;

  HipDevice(HipApi api, int index, String name, String pciBusId, OptionalInt numaNode) {
    this.api = api;
    this.index = index;
    this.name = name;
    this.pciBusId = pciBusId;
    this.numaNode = numaNode;
    this.calls =
        new ThreadPoolExecutor(
            1,
            1,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> daemon(task, "lmcache4j-gpu-" + index));
    this.calls.allowCoreThreadTimeOut(true);
  }

  static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  HipApi api() {
    return api;
  }

  /**
   * Runs calls with this device as the current one, and waits for them. Not to be called by what
   * runs there itself.
   */
  <T> T call(Supplier<T> body) {
    CompletableFuture<T> done =
        CompletableFuture.supplyAsync(
            () -> {
              // Each time: the thread may be a new one, and those start on device 0.
              api.check(api.setDevice(index), "setDevice");
              return body.get();
            },
            calls);
    try {
      return done.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error failure) {
        throw failure;
      }
      throw e;
    }
  }

  /** Frees something, some time later and with this device as the current one. */
  void later(Runnable free) {
    calls.execute(
        () -> {
          int code = api.setDevice(index);
          if (code != HipErrors.SUCCESS) {
            log.warn("{}: cannot be made current to free memory: {}", this, api.errorName(code));
          }
          free.run();
        });
  }

  /** Waits for everything that was to be done later. */
  void settle() {
    CompletableFuture.runAsync(() -> {}, calls).join();
  }

  /**
   * The runtime's number for it.
   *
   * @return from 0
   */
  public int index() {
    return index;
  }

  /**
   * The marketing name.
   *
   * @return for example {@code AMD Instinct MI300X}; empty if the runtime does not tell
   */
  public String name() {
    return name;
  }

  /**
   * Where it sits.
   *
   * @return for example {@code 0000:c1:00.0}; empty if the runtime does not tell
   */
  public String pciBusId() {
    return pciBusId;
  }

  /**
   * The NUMA node nearest to it, from sysfs.
   *
   * @return the node; nothing on a machine with one node only
   */
  public OptionalInt numaNode() {
    return numaNode;
  }

  /**
   * The device's memory.
   *
   * @return free and total bytes, as of now
   * @throws HipException if the runtime refuses
   */
  public MemoryInfo memory() {
    return call(
        () -> {
          long[] free = new long[1];
          long[] total = new long[1];
          api.check(api.memInfo(free, total), "memInfo");
          return new MemoryInfo(free[0], total[0]);
        });
  }

  /**
   * Allocates device memory. Its content is undefined.
   *
   * @param bytes size, at least 1
   * @return the memory, to be closed by the caller
   * @throws HipException {@code hipErrorOutOfMemory} among others
   */
  public DeviceBuffer allocate(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("cannot allocate " + bytes + " bytes of device memory");
    }
    long address =
        call(
            () -> {
              long[] out = new long[1];
              int code = api.malloc(out, bytes);
              if (code != HipErrors.SUCCESS) {
                throw api.failure(code, "malloc", " of " + bytes + " bytes on " + this);
              }
              return out[0];
            });
    return new DeviceBuffer(this, address, bytes);
  }

  Map<String, Object> describe() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("index", index);
    fields.put("name", name);
    fields.put("pciBusId", pciBusId);
    numaNode.ifPresent(node -> fields.put("numaNode", node));
    return fields;
  }

  /** Names the device. */
  @Override
  public String toString() {
    return "device " + index + (name.isEmpty() ? "" : " (" + name + ")");
  }

  /**
   * Bytes of device memory.
   *
   * @param free not allocated by anybody
   * @param total all there is
   */
  public record MemoryInfo(long free, long total) {}
}
