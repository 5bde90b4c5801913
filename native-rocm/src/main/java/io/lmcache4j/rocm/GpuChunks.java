/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.store.ChunkStore;
import io.lmcache4j.core.store.ChunkStore.Fetched;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Batches of chunks between a device and a store, through a staging memory. The store is whatever
 * {@link ChunkStore} there is; for Redis it is {@code io.lmcache4j.redis.RedisChunkStore}.
 *
 * <h2>Overlap</h2>
 *
 * <p>Of each batch {@code depth} chunks are under way at a time, each with a lease of its own: with
 * two, the device copies the next chunk while the store has the one before. More than two help
 * where the store is faster with several requests on their way. When the staging memory has no room
 * for the next chunk, it waits for one of its batch; leases are only ever awaited from chunks of
 * the same batch, so batches cannot wait for each other.
 *
 * <h2>Outcomes</h2>
 *
 * <p>Each key has its own. A chunk whose copy failed is never stored. A chunk that is absent, of
 * another size, or not received in full never reaches the device. A lost device fails what is left
 * of the batch, key by key.
 *
 * <h2>Cancelling</h2>
 *
 * <p>Cancelling the returned future begins no further chunk and gives up those under way. It says
 * nothing of what they have done already: their keys may be stored, and the device ranges of gets
 * under way are undefined until the device buffers' copies are over.
 *
 * <p>Safe for use by many threads. Nothing here blocks; outcomes are completed on the threads of
 * the engine or of the store.
 */
public final class GpuChunks {

  /** Two chunks under way: one is copied, one is transferred. */
  public static final int DEFAULT_DEPTH = 2;

  /** A payload is one lease, and a lease is one {@link java.nio.ByteBuffer}. */
  private static final String TOO_LARGE = "%d bytes are more than a payload can have";

  private static final Logger log = LoggerFactory.getLogger(GpuChunks.class);

  private final CopyEngine engine;
  private final HostMemory staging;
  private final ChunkStore store;
  private final int depth;

  /**
   * Creates the path between the three, which stay the caller's to close.
   *
   * @param engine copies
   * @param staging where chunks are between the two halves of their way; pinned, or copies block
   * @param store stores and finds them
   * @param depth chunks of one batch under way at a time, at least 1
   */
  public GpuChunks(CopyEngine engine, HostMemory staging, ChunkStore store, int depth) {
    this.engine = Objects.requireNonNull(engine, "engine");
    this.staging = Objects.requireNonNull(staging, "staging");
    this.store = Objects.requireNonNull(store, "store");
    if (depth < 1) {
      throw new IllegalArgumentException("depth " + depth + " is below 1");
    }
    this.depth = depth;
  }

  /**
   * Stores chunks from the device. Their bytes must not change before their outcomes are there.
   *
   * @param chunks the chunks
   * @return the outcomes, in the order of the chunks; exceptionally only if it was cancelled, or
   *     the staging memory was closed or failed
   * @throws IllegalArgumentException if a range is another device's
   */
  public CompletableFuture<List<DevicePutOutcome>> putFromDevice(List<DeviceChunk> chunks) {
    List<PutStep> steps = new ArrayList<>(chunks.size());
    for (DeviceChunk chunk : chunks) {
      checkDevice(chunk.ranges());
      steps.add(new PutStep(chunk));
    }
    return new Pipeline<DevicePutOutcome>(steps, staging, depth).run();
  }

  /**
   * Loads chunks onto the device.
   *
   * @param targets what, and where to
   * @return the outcomes, in the order of the targets; exceptionally only if it was cancelled, or
   *     the staging memory was closed or failed
   * @throws IllegalArgumentException if a range is another device's, or two ranges share a byte
   */
  public CompletableFuture<List<DeviceGetOutcome>> getToDevice(List<DeviceTarget> targets) {
    List<GetStep> steps = new ArrayList<>(targets.size());
    List<DeviceRange> all = new ArrayList<>();
    for (DeviceTarget target : targets) {
      checkDevice(target.ranges());
      all.addAll(target.ranges());
      steps.add(new GetStep(target));
    }
    String shared = Overlaps.first(all);
    if (shared != null) {
      throw new IllegalArgumentException("two targets share bytes: " + shared);
    }
    return new Pipeline<DeviceGetOutcome>(steps, staging, depth).run();
  }

  private void checkDevice(List<DeviceRange> ranges) {
    for (DeviceRange range : ranges) {
      if (range.buffer().device() != engine.device()) {
        throw new IllegalArgumentException(range.buffer() + " is not memory of " + engine.device());
      }
    }
  }

  /** A future of the engine; what it throws because something was closed meanwhile is a failure. */
  private CompletableFuture<CopyTimes> copy(
      boolean toHost, List<DeviceRange> ranges, ChunkBuffer lease) {
    try {
      return toHost ? engine.toHost(ranges, lease) : engine.toDevice(lease, ranges);
    } catch (RuntimeException | Error e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private static <T> CompletableFuture<T> ask(
      Function<ChunkStore, CompletionStage<T>> call, ChunkStore store) {
    try {
      return call.apply(store).toCompletableFuture();
    } catch (RuntimeException | Error e) {
      // An error, too: this may be the engine's thread, where nobody would hear of it and the
      // chunk would never end.
      return CompletableFuture.failedFuture(e);
    }
  }

  private static Throwable bare(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  private static LmcacheException copyFailure(Throwable failure) {
    Throwable cause = bare(failure);
    return cause instanceof LmcacheException known ? known : new CopyRefusedException(cause);
  }

  /** The parts that both ways have in common: a lease that is let go of, and a way to give up. */
  private abstract static class Way<T> implements Pipeline.Work<T> {

    final ChunkBuffer lease;
    private final CompletableFuture<T> outcome = new CompletableFuture<>();
    private volatile @Nullable CompletableFuture<?> current;
    private volatile boolean cancelled;

    Way(ChunkBuffer lease) {
      this.lease = lease;
    }

    @Override
    public final CompletableFuture<T> outcome() {
      return outcome;
    }

    @Override
    public final void cancel() {
      cancelled = true;
      CompletableFuture<?> underWay = current;
      if (underWay != null) {
        underWay.cancel(false);
      }
    }

    final <U> CompletableFuture<U> current(CompletableFuture<U> underWay) {
      current = underWay;
      if (cancelled) {
        underWay.cancel(false);
      }
      return underWay;
    }

    /** Lets go of the lease and then tells the outcome: whoever waits for room finds it. */
    final void end(T result) {
      try {
        lease.release();
      } finally {
        // Also if the store has released a reference that was not its own.
        outcome.complete(result);
      }
    }
  }

  private final class PutStep implements Pipeline.Step<DevicePutOutcome> {

    private final DeviceChunk chunk;
    private final long bytes;

    PutStep(DeviceChunk chunk) {
      this.chunk = chunk;
      this.bytes = CopyEngine.bytesOf(chunk.ranges());
    }

    @Override
    public @Nullable DevicePutOutcome refusal() {
      String problem = null;
      if (bytes > Integer.MAX_VALUE) {
        problem = TOO_LARGE.formatted(bytes);
      } else if (bytes != chunk.metadata().length()) {
        problem =
            "its metadata says " + chunk.metadata().length() + " bytes, its ranges have " + bytes;
      }
      return problem == null
          ? null
          : new DevicePutOutcome.CopyFailed(
              chunk.key(), new ChunkSizeException(chunk.key(), problem));
    }

    @Override
    public int bytes() {
      return (int) bytes;
    }

    @Override
    public DevicePutOutcome noMemory() {
      return new DevicePutOutcome.NoMemory(chunk.key(), bytes);
    }

    @Override
    public Pipeline.Work<DevicePutOutcome> start(ChunkBuffer lease) {
      PutWay way = new PutWay(chunk, lease);
      way.copy();
      return way;
    }
  }

  private final class PutWay extends Way<DevicePutOutcome> {

    private final DeviceChunk chunk;

    PutWay(DeviceChunk chunk, ChunkBuffer lease) {
      super(lease);
      this.chunk = chunk;
    }

    void copy() {
      current(GpuChunks.this.copy(true, chunk.ranges(), lease))
          .whenComplete(
              (times, failure) -> {
                if (failure == null) {
                  transfer(times);
                } else {
                  end(new DevicePutOutcome.CopyFailed(chunk.key(), copyFailure(failure)));
                }
              });
    }

    private void transfer(CopyTimes copy) {
      long started = System.nanoTime();
      current(ask(s -> s.put(chunk.key(), chunk.metadata(), lease), store))
          .whenComplete(
              (v, failure) ->
                  end(
                      failure == null
                          ? new DevicePutOutcome.Stored(
                              chunk.key(), lease.length(), times(copy, started))
                          : new DevicePutOutcome.TransferFailed(chunk.key(), bare(failure))));
    }
  }

  private static ChunkTimes times(CopyTimes copy, long transferStarted) {
    return new ChunkTimes(
        copy.startedNanos(), copy.endedNanos(), transferStarted, System.nanoTime());
  }

  private final class GetStep implements Pipeline.Step<DeviceGetOutcome> {

    private final DeviceTarget target;
    private final long bytes;

    GetStep(DeviceTarget target) {
      this.target = target;
      this.bytes = CopyEngine.bytesOf(target.ranges());
    }

    @Override
    public @Nullable DeviceGetOutcome refusal() {
      return bytes <= Integer.MAX_VALUE
          ? null
          : new DeviceGetOutcome.Unusable(target.key(), TOO_LARGE.formatted(bytes));
    }

    @Override
    public int bytes() {
      return (int) bytes;
    }

    @Override
    public DeviceGetOutcome noMemory() {
      return new DeviceGetOutcome.NoMemory(target.key(), bytes);
    }

    @Override
    public Pipeline.Work<DeviceGetOutcome> start(ChunkBuffer lease) {
      GetWay way = new GetWay(target, lease);
      way.transfer();
      return way;
    }
  }

  private final class GetWay extends Way<DeviceGetOutcome> {

    private final DeviceTarget target;

    GetWay(DeviceTarget target, ChunkBuffer lease) {
      super(lease);
      this.target = target;
    }

    void transfer() {
      OneLease into = new OneLease(lease);
      long started = System.nanoTime();
      current(ask(s -> s.get(target.key(), into), store))
          .whenComplete(
              (fetched, failure) -> {
                if (failure != null) {
                  end(new DeviceGetOutcome.TransferFailed(target.key(), bare(failure)));
                } else if (fetched instanceof Fetched.Hit hit) {
                  copy(hit, started, System.nanoTime());
                } else {
                  end(absent(fetched, into));
                }
              });
    }

    private DeviceGetOutcome absent(Fetched fetched, OneLease into) {
      if (fetched instanceof Fetched.Corrupt corrupt) {
        return new DeviceGetOutcome.Unusable(target.key(), corrupt.reason());
      }
      if (fetched instanceof Fetched.NoMemory none) {
        return into.refused() < 0
            ? new DeviceGetOutcome.NoMemory(target.key(), none.bytes())
            : sizesDiffer(into.refused());
      }
      return new DeviceGetOutcome.Miss(target.key());
    }

    private DeviceGetOutcome sizesDiffer(long stored) {
      return new DeviceGetOutcome.Unusable(
          target.key(),
          "the stored payload has "
              + stored
              + " bytes, the device ranges have "
              + CopyEngine.bytesOf(target.ranges()));
    }

    private void copy(Fetched.Hit hit, long started, long ended) {
      ChunkBuffer payload = hit.payload();
      if (payload.length() != lease.length()) {
        int stored = payload.length();
        release(payload);
        end(sizesDiffer(stored));
        return;
      }
      current(GpuChunks.this.copy(false, target.ranges(), payload))
          .whenComplete(
              (times, failure) -> {
                release(payload);
                end(
                    failure == null
                        ? new DeviceGetOutcome.Loaded(
                            target.key(),
                            hit.metadata(),
                            new ChunkTimes(
                                times.startedNanos(), times.endedNanos(), started, ended))
                        : new DeviceGetOutcome.CopyFailed(target.key(), copyFailure(failure)));
              });
    }
  }

  /** Gives back a hit's reference, which the store may have released itself, by mistake. */
  private static void release(ChunkBuffer payload) {
    try {
      payload.release();
    } catch (RuntimeException e) {
      log.warn("a payload that the store handed out cannot be released: {}", e.getMessage());
    }
  }

  /** A copy that was not even asked for, since the engine or a buffer had been closed. */
  private static final class CopyRefusedException extends LmcacheException {

    private static final long serialVersionUID = 1L;

    CopyRefusedException(Throwable cause) {
      super("not copied: " + cause.getMessage(), cause);
    }
  }
}
