/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

/** Bounds the bytes that the runtime has been told to copy and has not copied yet. */
final class InFlight {

  private final long limit;
  private long bytes;

  InFlight(long limit) {
    this.limit = limit;
  }

  /** Waits for room. A copy above the limit goes alone. */
  synchronized void acquire(long more) throws InterruptedException {
    while (bytes > 0 && bytes > limit - more) {
      wait();
    }
    bytes += more;
  }

  synchronized void release(long done) {
    bytes -= done;
    notifyAll();
  }

  synchronized long bytes() {
    return bytes;
  }
}
