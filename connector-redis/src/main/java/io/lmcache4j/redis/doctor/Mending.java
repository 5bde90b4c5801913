/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import java.util.List;

/**
 * What was removed.
 *
 * @param removed by kind of problem
 * @param spared how many were not removed, since they had changed when they were looked at again
 */
public record Mending(List<Removed> removed, long spared) {

  /** Copies the list. */
  public Mending {
    removed = List.copyOf(removed);
  }

  /**
   * What was removed for one reason.
   *
   * @param kind the reason
   * @param count how many chunks or halves of chunks
   * @param bytes their payload bytes
   */
  public record Removed(ProblemKind kind, long count, long bytes) {}
}
