/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import java.util.concurrent.atomic.LongAdder;

/**
 * Counts payload bytes by how they crossed: what the kernel read into or wrote from a lease
 * directly, and what was copied in between. Any thread.
 */
public final class WireMetrics {

  private final LongAdder directIn = new LongAdder();
  private final LongAdder copiedIn = new LongAdder();
  private final LongAdder directOut = new LongAdder();
  private final LongAdder copiedOut = new LongAdder();
  private final LongAdder drained = new LongAdder();

  void directIn(long bytes) {
    directIn.add(bytes);
  }

  void copiedIn(long bytes) {
    copiedIn.add(bytes);
  }

  void directOut(long bytes) {
    directOut.add(bytes);
  }

  void copiedOut(long bytes) {
    copiedOut.add(bytes);
  }

  void drained(long bytes) {
    drained.add(bytes);
  }

  /**
   * Payload bytes that the kernel wrote straight into a lease.
   *
   * @return bytes since the connector was opened
   */
  public long directInBytes() {
    return directIn.sum();
  }

  /**
   * Payload bytes that were copied into a lease in user space.
   *
   * @return bytes since the connector was opened
   */
  public long copiedInBytes() {
    return copiedIn.sum();
  }

  /**
   * Payload bytes that were handed to the transport by reference.
   *
   * @return bytes since the connector was opened
   */
  public long directOutBytes() {
    return directOut.sum();
  }

  /**
   * Payload bytes that were copied into an outbound buffer.
   *
   * @return bytes since the connector was opened
   */
  public long copiedOutBytes() {
    return copiedOut.sum();
  }

  /**
   * Payload bytes that arrived and were dropped: given up, corrupt, or without memory to land in.
   *
   * @return bytes since the connector was opened
   */
  public long drainedBytes() {
    return drained.sum();
  }
}
