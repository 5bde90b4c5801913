/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.memory.ChunkBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One copy that was asked for. It holds a reference to the lease and to each device buffer until
 * {@link #end}, which is called once, and only when no device touches either end any more.
 */
final class Copy {

  /** Which way the bytes go. */
  enum Direction {
    TO_HOST(HipConstants.MEMCPY_DEVICE_TO_HOST),
    TO_DEVICE(HipConstants.MEMCPY_HOST_TO_DEVICE);

    final int kind;

    Direction(int kind) {
      this.kind = kind;
    }
  }

  final Direction direction;
  final long bytes;
  final CompletableFuture<CopyTimes> future = new CompletableFuture<>();

  private final List<DeviceRange> ranges;
  private final ChunkBuffer host;
  private final long hostAddress;
  private long startedNanos;
  private @Nullable RuntimeException failure;

  /** Takes the references. */
  Copy(Direction direction, List<DeviceRange> ranges, ChunkBuffer host, long bytes) {
    this.direction = direction;
    this.ranges = ranges;
    this.host = host.retain();
    this.hostAddress = host.address();
    this.bytes = bytes;
    List<DeviceBuffer> held = new ArrayList<>(ranges.size());
    try {
      for (DeviceRange range : ranges) {
        range.buffer().retain();
        held.add(range.buffer());
      }
    } catch (IllegalStateException e) {
      held.forEach(DeviceBuffer::release);
      host.release();
      throw e;
    }
  }

  /** Gives the copy to the runtime, on a thread whose current device is the stream's. */
  void issue(HipApi api, long stream) {
    startedNanos = System.nanoTime();
    long dense = hostAddress;
    for (DeviceRange range : ranges) {
      long address = range.buffer().rawAddress() + range.offset();
      if (range.isDense()) {
        api.check(
            direction == Direction.TO_HOST
                ? api.memcpyAsync(dense, address, range.bytes(), direction.kind, stream)
                : api.memcpyAsync(address, dense, range.bytes(), direction.kind, stream),
            "memcpyAsync");
      } else {
        api.check(
            direction == Direction.TO_HOST
                ? api.memcpy2DAsync(
                    dense,
                    range.width(),
                    address,
                    range.pitch(),
                    range.width(),
                    range.rows(),
                    direction.kind,
                    stream)
                : api.memcpy2DAsync(
                    address,
                    range.pitch(),
                    dense,
                    range.width(),
                    range.width(),
                    range.rows(),
                    direction.kind,
                    stream),
            "memcpy2DAsync");
      }
      dense += range.bytes();
    }
  }

  /** Notes what went wrong; the first of several counts. */
  void failed(RuntimeException cause) {
    if (failure == null) {
      failure = cause;
    }
  }

  /** Lets go of both ends, and then tells what became of the copy. */
  void end() {
    try {
      host.release();
    } catch (RuntimeException e) {
      // Somebody released our reference as well, or the memory is somebody's own and fails: his
      // bug, and not the end of this thread.
      failed(e);
    }
    for (DeviceRange range : ranges) {
      range.buffer().release();
    }
    if (failure == null) {
      future.complete(new CopyTimes(startedNanos, System.nanoTime()));
    } else {
      future.completeExceptionally(failure);
    }
  }
}
