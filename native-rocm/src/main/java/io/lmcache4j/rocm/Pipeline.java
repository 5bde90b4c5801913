/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Starts the chunks of one batch in order, so many at a time, each with a staging lease of its own.
 * While there is no room for the next one, it waits for one of its own to give its lease back.
 *
 * @param <T> a chunk's outcome
 */
final class Pipeline<T> {

  /** One chunk of the batch. */
  interface Step<T> {

    /** Why it is not even begun; null if it is sound. */
    @Nullable T refusal();

    /** How much it has to stage. */
    int bytes();

    /** Does it. Owns the lease, and completes (never exceptionally) when it has let go of it. */
    Work<T> start(ChunkBuffer lease);

    /** What became of it when there is no room and nothing to wait for. */
    T noMemory();
  }

  /** What is under way for one chunk: its outcome, and the way to give it up. */
  interface Work<T> {

    CompletableFuture<T> outcome();

    void cancel();
  }

  private final List<? extends Step<T>> steps;
  private final HostMemory staging;
  private final int depth;
  private final List<@Nullable T> outcomes;
  private final Set<Work<T>> running = new HashSet<>();
  private final CompletableFuture<List<T>> all = new CompletableFuture<>();
  private int next;
  private boolean advancing;
  private int done;

  Pipeline(List<? extends Step<T>> steps, HostMemory staging, int depth) {
    this.steps = steps;
    this.staging = staging;
    this.depth = depth;
    this.outcomes = new ArrayList<>();
    steps.forEach(step -> outcomes.add(null));
  }

  /** Starts; the future's outcomes are in the order of the steps. */
  CompletableFuture<List<T>> run() {
    all.whenComplete(
        (v, e) -> {
          if (all.isCancelled()) {
            cancelRunning();
          }
        });
    advanceOrFail();
    return all;
  }

  private void cancelRunning() {
    List<Work<T>> given;
    synchronized (this) {
      given = List.copyOf(running);
    }
    given.forEach(Work::cancel);
  }

  /**
   * Starts what can be started. Called at the beginning and whenever a chunk is over; one thread at
   * a time does it, so that chunks that end at once do not pile up on its stack.
   */
  private void advance() {
    synchronized (this) {
      if (advancing) {
        return;
      }
      advancing = true;
    }
    for (Start<T> start = nextStart(); start != null; start = nextStart()) {
      begin(start);
    }
    completeIfDone();
  }

  /**
   * The next chunk and its lease; null if none can be started now. Whoever ends a chunk changes the
   * state and then calls {@link #advance}: if that finds this thread at work, this thread has yet
   * to come by here and sees the change.
   */
  private synchronized @Nullable Start<T> nextStart() {
    while (!all.isDone() && next < steps.size() && running.size() < depth) {
      Step<T> step = steps.get(next);
      T refusal = step.refusal();
      if (refusal != null) {
        record(next++, refusal);
        continue;
      }
      ChunkBuffer lease = staging.tryLease(step.bytes());
      if (lease != null) {
        return new Start<>(next++, step, lease);
      }
      if (!running.isEmpty()) {
        break;
      }
      record(next++, step.noMemory());
    }
    advancing = false;
    return null;
  }

  private void begin(Start<T> start) {
    Work<T> work = start.step.start(start.lease);
    synchronized (this) {
      running.add(work);
    }
    work.outcome()
        .whenComplete(
            (outcome, unexpected) -> {
              synchronized (this) {
                running.remove(work);
                if (unexpected == null) {
                  record(start.index, outcome);
                }
              }
              if (unexpected != null) {
                all.completeExceptionally(unexpected);
              }
              advanceOrFail();
            });
    if (all.isCancelled()) {
      // It began beside the cancellation, which did not see it.
      work.cancel();
    }
  }

  /**
   * The staging memory may have been closed meanwhile, or be somebody's own and fail: the batch
   * begins nothing more then, and what is under way ends by itself. Nobody may be there to be
   * thrown at.
   */
  private void advanceOrFail() {
    try {
      advance();
    } catch (RuntimeException | Error e) {
      all.completeExceptionally(e);
    }
  }

  /** Called with the lock held. */
  private void record(int index, T outcome) {
    outcomes.set(index, outcome);
    done++;
  }

  private void completeIfDone() {
    List<T> results = new ArrayList<>(steps.size());
    synchronized (this) {
      if (done < steps.size()) {
        return;
      }
      for (T outcome : outcomes) {
        if (outcome != null) {
          results.add(outcome);
        }
      }
    }
    all.complete(results);
  }

  private record Start<T>(int index, Step<T> step, ChunkBuffer lease) {}
}
