/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.time.Duration;

/**
 * The server has not answered for longer than {@link RedisConnectorOptions#unavailableAfter}, so
 * the operation was not sent: inference should not wait for a cache. It is asked on, and operations
 * go through again as soon as it answers.
 */
public final class ServerUnavailableException extends RedisConnectorException {

  private static final long serialVersionUID = 1L;

  ServerUnavailableException(String operation, String server, Duration silence) {
    super(
        operation + ": " + server + " has not answered for " + silence.toMillis() + " ms; not sent",
        null);
  }
}
