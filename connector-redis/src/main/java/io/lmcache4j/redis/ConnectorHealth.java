/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.util.List;

/**
 * How a connector stands with its servers, from what it knows already: asking costs no trip, so a
 * sidecar's probe can ask as often as it likes. An idle connector learns of a silent server only
 * with the next operation; {@link RedisConnector#ping} asks at once.
 *
 * @param status the sum of it
 * @param problems what is wrong, for people; empty if nothing is
 */
public record ConnectorHealth(Status status, List<String> problems) {

  /** Takes a copy of the list. */
  public ConnectorHealth {
    problems = List.copyOf(problems);
  }

  /** What may be expected of an operation. */
  public enum Status {
    /** Every connection is up, and every server answers. */
    UP,
    /** Some of the connections or servers are not there: some operations will fail. */
    DEGRADED,
    /** Operations fail. */
    DOWN,
    /** The connector is closed or closing. */
    CLOSED
  }
}
