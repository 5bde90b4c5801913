/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.time.Duration;

/**
 * Is told what happens in a connector: what operations came to, and what becomes of its
 * connections. For metrics, logs and alarms; see {@link RedisConnectorOptions.Builder#listener}.
 *
 * <p>Called on event loops and the connector's timer, several at a time, so it must be quick and
 * thread-safe. What it throws is logged and touches no operation.
 */
public interface ConnectorListener {

  /**
   * An operation has ended, as its caller hears of it.
   *
   * @param event what it came to
   */
  default void operationEnded(OperationEvent event) {}

  /**
   * A connection is up: the first time, or again.
   *
   * @param address the server's end
   */
  default void connected(String address) {}

  /**
   * A connection is lost, or closed with the connector. Unless closed it is made again by itself.
   *
   * @param address the server's end
   */
  default void disconnected(String address) {}

  /**
   * A server has not answered for too long: from now on operations on it fail at once.
   *
   * @param node the server
   * @param silence for how long
   */
  default void unavailable(String node, Duration silence) {}

  /**
   * A server that was unavailable answers again.
   *
   * @param node the server
   * @param silence for how long it did not
   */
  default void available(String node, Duration silence) {}
}
