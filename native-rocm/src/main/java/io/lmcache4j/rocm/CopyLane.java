/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.util.ArrayDeque;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream and its two threads: one gives copies to the runtime, the other waits for their events
 * in the same order. Two, because the first must be free to give the next copy while the one before
 * is under way, and because copying unpinned memory blocks it.
 */
final class CopyLane {

  private static final Logger log = LoggerFactory.getLogger(CopyLane.class);

  /** Copies that may be between the two threads; each has an event. */
  private static final int EVENTS = 16;

  private final CopyEngine engine;
  private final HipDevice device;
  private final HipApi api;
  private final BlockingQueue<Object> requests;
  private final BlockingQueue<Object> issued = new LinkedBlockingQueue<>();
  private final BlockingQueue<Long> events = new LinkedBlockingQueue<>();
  private final Thread issuer;
  private final Thread waiter;
  private final long stream;

  /**
   * Creates the stream and its events; to be called with the device as the current one.
   *
   * @param requests copies to do, or {@link CopyEngine#END}; shared with the direction's other
   *     lanes
   * @throws HipException if the runtime refuses; then nothing is left behind
   */
  CopyLane(CopyEngine engine, HipDevice device, String name, BlockingQueue<Object> requests) {
    this.engine = engine;
    this.device = device;
    this.api = device.api();
    this.requests = requests;
    long[] out = new long[1];
    api.check(api.streamCreate(out, HipConstants.STREAM_NON_BLOCKING), "streamCreate");
    this.stream = out[0];
    try {
      for (int i = 0; i < EVENTS; i++) {
        api.check(
            api.eventCreate(
                out, HipConstants.EVENT_BLOCKING_SYNC | HipConstants.EVENT_DISABLE_TIMING),
            "eventCreate");
        events.add(out[0]);
      }
    } catch (HipException e) {
      destroy();
      throw e;
    }
    this.issuer = HipDevice.daemon(this::issueAll, name + "-issue");
    this.waiter = HipDevice.daemon(this::waitForAll, name + "-wait");
  }

  void start() {
    issuer.start();
    waiter.start();
  }

  /** Whether the calling thread is one of the lane's. */
  boolean owns(Thread thread) {
    return thread == issuer || thread == waiter;
  }

  /**
   * Waits for both threads, which end behind {@link CopyEngine#END}, until a time on the clock of
   * {@link System#nanoTime}; false if they have not ended by then.
   */
  boolean join(long deadline) throws InterruptedException {
    issuer.join(millisUntil(deadline));
    waiter.join(millisUntil(deadline));
    return !issuer.isAlive() && !waiter.isAlive();
  }

  /** At least 1: to join for 0 is to join for ever. */
  private static long millisUntil(long deadline) {
    return Math.max(1, (deadline - System.nanoTime()) / 1_000_000);
  }

  /** Destroys stream and events, which nobody may use afterwards. */
  void destroy() {
    for (Long event : new ArrayDeque<>(events)) {
      warn(api.eventDestroy(event), "eventDestroy");
    }
    events.clear();
    warn(api.streamDestroy(stream), "streamDestroy");
  }

  private void warn(int code, String call) {
    // On a lost device each of these calls fails, which has been said once.
    if (code != HipErrors.SUCCESS && engine.loss() == null) {
      log.warn("{}: {}", device, api.failure(code, call, "").getMessage());
    }
  }

  private void makeCurrent() {
    int code = api.setDevice(device.index());
    if (code != HipErrors.SUCCESS) {
      engine.lost(api.failure(code, "setDevice", ""));
    }
  }

  private void issueAll() {
    makeCurrent();
    Object request = take(requests);
    for (; request != CopyEngine.END; request = take(requests)) {
      issue((Copy) request);
    }
    // For the direction's other lanes, too.
    requests.add(request);
    issued.add(request);
  }

  /**
   * Takes, whatever interrupts: what is chained to a copy's future runs on these threads and may
   * leave them interrupted, and copies wait for them all the same.
   */
  private static <T> T take(BlockingQueue<T> queue) {
    while (true) {
      try {
        return queue.take();
      } catch (InterruptedException e) {
        log.debug("{} was interrupted and goes on", Thread.currentThread().getName());
      }
    }
  }

  private void issue(Copy copy) {
    engine.inFlight().acquire(copy.bytes);
    long event = take(events);
    HipException loss = engine.loss();
    if (loss != null) {
      copy.failed(loss);
    }
    if (loss != null || copy.future.isDone()) {
      // Lost, or cancelled before it began.
      finish(copy, event);
      return;
    }
    try {
      copy.issue(api, stream);
    } catch (HipException e) {
      // Parts of it may be under way all the same: its end is waited for as that of any other.
      copy.failed(e);
      engine.lostIf(e);
    }
    int code = api.eventRecord(event, stream);
    if (code == HipErrors.SUCCESS) {
      issued.add(new Issued(copy, event));
    } else {
      HipException e = api.failure(code, "eventRecord", "");
      copy.failed(e);
      engine.lostIf(e);
      awaitStream();
      finish(copy, event);
    }
  }

  private void waitForAll() {
    makeCurrent();
    for (Object next = take(issued); next != CopyEngine.END; next = take(issued)) {
      Issued done = (Issued) next;
      int code = api.eventSynchronize(done.event);
      if (code != HipErrors.SUCCESS) {
        HipException e = api.failure(code, "eventSynchronize", "");
        done.copy.failed(e);
        if (!engine.lostIf(e)) {
          awaitStream();
        }
      }
      finish(done.copy, done.event);
    }
    // Not by whoever closes, who may have given up on a device that answers after all. The other
    // thread has come to its end before this one.
    device.later(this::destroy);
  }

  /** An event told nothing: waits for all that the stream has to do, so that leases can go. */
  private void awaitStream() {
    int code = api.streamSynchronize(stream);
    if (code != HipErrors.SUCCESS) {
      engine.lost(api.failure(code, "streamSynchronize", ""));
    }
  }

  private void finish(Copy copy, long event) {
    events.add(event);
    engine.inFlight().release(copy.bytes);
    copy.end();
  }

  private record Issued(Copy copy, long event) {}
}
