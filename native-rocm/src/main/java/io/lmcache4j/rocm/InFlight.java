/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

/** Bounds the bytes that the runtime has been told to copy and has not copied yet. */
final class InFlight {

  private final long limit;
  private long bytes;

  /** Who comes next, and who is served next: nobody is overtaken. */
  private long tickets;

  private long served;

  InFlight(long limit) {
    this.limit = limit;
  }

  /**
   * Waits for room, behind all who have asked before. A copy above the limit goes alone. An
   * interrupt does not end the waiting; it is kept for the caller.
   */
  synchronized void acquire(long more) {
    long ticket = tickets++;
    boolean interrupted = false;
    while (ticket != served || (bytes > 0 && bytes > limit - more)) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    bytes += more;
    served++;
    notifyAll();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  synchronized void release(long done) {
    bytes -= done;
    notifyAll();
  }

  synchronized long bytes() {
    return bytes;
  }
}
