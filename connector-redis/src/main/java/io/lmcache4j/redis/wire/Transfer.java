/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * Who owns the destination of a payload: the reply that is being received, or the caller who may
 * give up at any time.
 *
 * <pre>
 *            begin()            finish()
 *   NEW ---------------> WRITING ---------------> DONE
 *    |                      |
 *    | revoke()             | revoke()
 *    v                      v
 *   REVOKED              REVOKED
 * </pre>
 *
 * <p>{@code begin} and {@code finish} are called by the event loop, {@code revoke} by any thread.
 * Each transition is one compare-and-set, so exactly one side learns that it has to give the buffer
 * back:
 *
 * <ul>
 *   <li>revoked before {@code begin}: no buffer was taken, and {@code begin} says that none may be;
 *   <li>revoked while writing: the writer goes on, because its bytes are on the way into the
 *       buffer; its {@code finish} returns false and <em>it</em> releases the buffer;
 *   <li>revoked after {@code finish}: too late, the buffer belongs to the outcome.
 * </ul>
 */
final class Transfer {

  private static final int NEW = 0;
  private static final int WRITING = 1;
  private static final int DONE = 2;
  private static final int REVOKED = 3;

  private static final AtomicIntegerFieldUpdater<Transfer> STATE =
      AtomicIntegerFieldUpdater.newUpdater(Transfer.class, "state");

  private volatile int state = NEW;

  /**
   * Claims the right to write.
   *
   * @return false if the caller has given up, or a reply was written already: write nothing
   */
  boolean begin() {
    return STATE.compareAndSet(this, NEW, WRITING);
  }

  /**
   * Ends writing.
   *
   * @return true if the buffer now belongs to the outcome; false if the caller gave up meanwhile,
   *     so that the writer releases it
   */
  boolean finish() {
    return STATE.compareAndSet(this, WRITING, DONE);
  }

  /**
   * Gives up.
   *
   * @return true if the reply will not become an outcome; false if it has already, or if this was
   *     called before
   */
  boolean revoke() {
    return STATE.compareAndSet(this, NEW, REVOKED) || STATE.compareAndSet(this, WRITING, REVOKED);
  }

  @Override
  public String toString() {
    return switch (state) {
      case NEW -> "NEW";
      case WRITING -> "WRITING";
      case DONE -> "DONE";
      default -> "REVOKED";
    };
  }
}
