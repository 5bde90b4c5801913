/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Bounds the payload bytes in flight to one node. Callers beyond the limit wait in the order they
 * came.
 *
 * <p>Why here: Lettuce queues without bound and never looks at a channel's writability, and the
 * server materialises every pipelined reply at once, in memory that counts towards its own
 * eviction. So the bound has to stand in front of both.
 *
 * <p>A request larger than the limit is let through when nothing else is in flight. Waiters are run
 * outside the lock, on the thread that made room, and never inside one another however many fail at
 * once. One that throws is logged and does not stop those behind it.
 */
final class ByteBudget {

  private static final Logger log = LoggerFactory.getLogger(ByteBudget.class);

  /** A request for room; compared by identity. */
  static final class Request {

    private final long bytes;
    private final Runnable granted;

    private Request(long bytes, Runnable granted) {
      this.bytes = bytes;
      this.granted = granted;
    }
  }

  private final long limit;
  private final Set<Request> waiters = new LinkedHashSet<>();
  private final AtomicInteger drains = new AtomicInteger();
  private long inFlight;

  ByteBudget(long limit) {
    this.limit = limit;
  }

  /**
   * Asks for room.
   *
   * @param bytes how much
   * @param granted run when there is, at once if there is now; the room is the caller's until
   *     {@link #release}
   * @return what to {@link #withdraw} if the room is no longer wanted
   */
  Request acquire(long bytes, Runnable granted) {
    Request request = new Request(bytes, granted);
    synchronized (waiters) {
      waiters.add(request);
    }
    drain();
    return request;
  }

  /**
   * Withdraws a request that may still be waiting.
   *
   * @return true if it was; false if it has been granted, so that its room is to be released
   */
  boolean withdraw(Request request) {
    boolean removed;
    synchronized (waiters) {
      removed = waiters.remove(request);
    }
    if (removed) {
      // It may have stood in front of a smaller one.
      drain();
    }
    return removed;
  }

  /** Gives room back. */
  void release(long bytes) {
    synchronized (waiters) {
      inFlight -= bytes;
    }
    drain();
  }

  /**
   * Changes what a grant accounts for, once the true size is known. Growing is never refused: the
   * bytes are coming.
   *
   * @param difference bytes more, or less if negative
   */
  void adjust(long difference) {
    synchronized (waiters) {
      inFlight += difference;
    }
    if (difference < 0) {
      drain();
    }
  }

  private void drain() {
    // One thread at a time runs grants; who comes meanwhile, from inside a grant too, leaves it a
    // further round.
    if (drains.getAndIncrement() != 0) {
      return;
    }
    int seen = 1;
    do {
      for (Request next = next(); next != null; next = next()) {
        run(next);
      }
      seen = drains.addAndGet(-seen);
    } while (seen != 0);
  }

  private static void run(Request request) {
    try {
      request.granted.run();
    } catch (RuntimeException | Error e) {
      // Whoever made room is not whose fault it is, and nobody would ever drain again.
      log.error("a request for {} bytes failed when it was granted", request.bytes, e);
    }
  }

  private @Nullable Request next() {
    synchronized (waiters) {
      Iterator<Request> it = waiters.iterator();
      if (!it.hasNext()) {
        return null;
      }
      Request head = it.next();
      if (inFlight > 0 && inFlight + head.bytes > limit) {
        return null;
      }
      inFlight += head.bytes;
      it.remove();
      return head;
    }
  }

  long inFlightBytes() {
    synchronized (waiters) {
      return inFlight;
    }
  }

  int waiting() {
    synchronized (waiters) {
      return waiters.size();
    }
  }
}
