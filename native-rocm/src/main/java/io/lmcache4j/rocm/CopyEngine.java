/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.rocm.Copy.Direction;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies between host leases and device memory, on streams of its own for each direction.
 *
 * <h2>Ownership</h2>
 *
 * <p>A copy takes a reference to its lease and to its device buffers before the call returns, and
 * gives them back when the device's event says that the copy is over. The caller may close both at
 * once. Cancelling a future stops a copy that has not begun; one that has cannot be stopped, and
 * its references stay until it is over.
 *
 * <h2>Threads</h2>
 *
 * <p>Any thread may ask. Copies of one direction begin in the order in which they were asked for;
 * with several streams they may end in another. Futures are completed on the engine's threads, so
 * what is chained to them must not block, or the next completion waits.
 *
 * <h2>Failing</h2>
 *
 * <p>Misuse (a range outside its buffer, sizes that differ, another device's memory, a closed
 * engine) is thrown before any call is made. What the runtime refuses fails the one future, with a
 * {@link HipException}. After a lost device everything that waits fails with it, and so does
 * everything that is asked for later: nothing on that device comes back within this process.
 */
public final class CopyEngine implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(CopyEngine.class);

  /** Ends a lane's thread. */
  static final Object END = new Object();

  /** How much is given to the runtime at a time unless said otherwise. */
  public static final long DEFAULT_MAX_BYTES_IN_FLIGHT = 256L << 20;

  /** How long {@link #close} waits for a device that does not answer. */
  private static final long CLOSE_MILLIS = 30_000;

  private final HipDevice device;
  private final InFlight inFlight;
  private final Map<Direction, BlockingQueue<Object>> requests = new EnumMap<>(Direction.class);
  private final List<CopyLane> lanes = new ArrayList<>();
  private final AtomicReference<@Nullable HipException> loss = new AtomicReference<>();
  private final Object closing = new Object();
  private boolean closed;

  private CopyEngine(HipDevice device, int streams, long maxBytesInFlight) {
    this.device = device;
    this.inFlight = new InFlight(maxBytesInFlight);
    for (Direction direction : Direction.values()) {
      requests.put(direction, new LinkedBlockingQueue<>());
    }
    device.call(
        () -> {
          createLanes(streams);
          return true;
        });
    lanes.forEach(CopyLane::start);
  }

  private void createLanes(int streams) {
    try {
      for (Map.Entry<Direction, BlockingQueue<Object>> entry : requests.entrySet()) {
        String to = entry.getKey() == Direction.TO_HOST ? "d2h" : "h2d";
        for (int i = 0; i < streams; i++) {
          String name = "lmcache4j-gpu-" + device.index() + "-" + to + "-" + i;
          lanes.add(new CopyLane(this, device, name, entry.getValue()));
        }
      }
    } catch (HipException e) {
      lanes.forEach(CopyLane::destroy);
      throw e;
    }
  }

  /**
   * Opens an engine with one stream for each direction.
   *
   * @param device whose memory it copies
   * @return the engine, to be closed by the caller
   * @throws HipException if the runtime has no stream to give
   */
  public static CopyEngine open(HipDevice device) {
    return open(device, 1, DEFAULT_MAX_BYTES_IN_FLIGHT);
  }

  /**
   * Opens an engine.
   *
   * @param device whose memory it copies
   * @param streams how many for each direction; each has two threads
   * @param maxBytesInFlight what the runtime is given at a time, over all streams; a larger copy
   *     goes alone
   * @return the engine, to be closed by the caller
   * @throws HipException if the runtime has no stream to give
   */
  public static CopyEngine open(HipDevice device, int streams, long maxBytesInFlight) {
    if (streams < 1 || maxBytesInFlight < 1) {
      throw new IllegalArgumentException(
          streams + " streams and " + maxBytesInFlight + " bytes in flight copy nothing");
    }
    return new CopyEngine(device, streams, maxBytesInFlight);
  }

  /**
   * Copies from the device: the ranges' bytes one behind the other into the lease, row after row.
   *
   * @param from where the bytes are; one range or more
   * @param to a lease of exactly as many bytes, pinned unless the copy may block its stream
   * @return completes when the bytes are there
   * @throws IllegalArgumentException if the sizes differ or the memory is another device's
   * @throws IllegalStateException if the engine or a buffer is closed
   */
  public CompletableFuture<CopyTimes> toHost(List<DeviceRange> from, ChunkBuffer to) {
    return request(Direction.TO_HOST, from, to);
  }

  /**
   * Copies to the device: the lease's bytes into the ranges one behind the other, row after row.
   *
   * @param from a lease, pinned unless the copy may block its stream
   * @param to where the bytes go; exactly as many
   * @return completes when the bytes are there
   * @throws IllegalArgumentException if the sizes differ or the memory is another device's
   * @throws IllegalStateException if the engine or a buffer is closed
   */
  public CompletableFuture<CopyTimes> toDevice(ChunkBuffer from, List<DeviceRange> to) {
    return request(Direction.TO_DEVICE, to, from);
  }

  private CompletableFuture<CopyTimes> request(
      Direction direction, List<DeviceRange> ranges, ChunkBuffer host) {
    List<DeviceRange> copied = List.copyOf(ranges);
    long bytes = bytesOf(copied);
    if (copied.isEmpty() || bytes != host.length()) {
      throw new IllegalArgumentException(
          copied.size()
              + " ranges of "
              + bytes
              + " bytes on the device, and "
              + host.length()
              + " bytes on the host");
    }
    for (DeviceRange range : copied) {
      if (range.buffer().device() != device) {
        throw new IllegalArgumentException(range.buffer() + " is not memory of " + device);
      }
    }
    HipException lost = loss.get();
    if (lost != null) {
      return CompletableFuture.failedFuture(lost);
    }
    synchronized (closing) {
      if (closed) {
        throw new IllegalStateException(this + " is closed");
      }
      Copy copy = new Copy(direction, copied, host, bytes);
      queue(direction).add(copy);
      return copy.future;
    }
  }

  private BlockingQueue<Object> queue(Direction direction) {
    BlockingQueue<Object> queue = requests.get(direction);
    if (queue == null) {
      throw new IllegalStateException("no queue for " + direction);
    }
    return queue;
  }

  /** The sum, or {@link Long#MAX_VALUE} if it is more than that. */
  static long bytesOf(List<DeviceRange> ranges) {
    long sum = 0;
    for (DeviceRange range : ranges) {
      sum = range.bytes() > Long.MAX_VALUE - sum ? Long.MAX_VALUE : sum + range.bytes();
    }
    return sum;
  }

  /**
   * The device.
   *
   * @return whose memory is copied
   */
  public HipDevice device() {
    return device;
  }

  /**
   * What the runtime has been given and has not copied yet.
   *
   * @return bytes
   */
  public long bytesInFlight() {
    return inFlight.bytes();
  }

  /**
   * Why this engine copies nothing any more.
   *
   * @return the error that lost the device, or null while there is none
   */
  public @Nullable HipException loss() {
    return loss.get();
  }

  InFlight inFlight() {
    return inFlight;
  }

  /** Poisons the engine if the error means that the device is lost; tells whether it does. */
  boolean lostIf(HipException e) {
    if (e.isDeviceLost()) {
      lost(e);
      return true;
    }
    return false;
  }

  void lost(HipException e) {
    if (loss.compareAndSet(null, e)) {
      log.error("{} is lost, nothing more is copied: {}", device, e.getMessage());
    }
  }

  /**
   * Refuses further copies, waits for those that were asked for, and destroys the streams. If the
   * device does not answer within 30 seconds, its streams and the leases that it may still touch
   * are left alone until it does, and an error is logged. Idempotent.
   *
   * @throws IllegalStateException if called by what is chained to a copy's future, on the engine's
   *     own thread, which would wait for itself
   */
  @Override
  public void close() {
    close(CLOSE_MILLIS);
  }

  void close(long millis) {
    for (CopyLane lane : lanes) {
      if (lane.owns(Thread.currentThread())) {
        throw new IllegalStateException("an engine's own thread cannot close it");
      }
    }
    synchronized (closing) {
      if (closed) {
        return;
      }
      closed = true;
      requests.values().forEach(queue -> queue.add(END));
    }
    boolean interrupted = false;
    long deadline = System.nanoTime() + millis * 1_000_000;
    boolean allEnded = true;
    for (CopyLane lane : lanes) {
      boolean waiting = true;
      while (waiting) {
        try {
          if (!lane.join(deadline)) {
            allEnded = false;
            log.error("{} has not answered for {} ms; its stream is left open", device, millis);
          }
          waiting = false;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (allEnded) {
      device.settle();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Names the device and what is under way. */
  @Override
  public String toString() {
    return "CopyEngine[" + device + ", " + bytesInFlight() + " bytes in flight]";
  }
}
