/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.LmcacheException;
import org.jspecify.annotations.Nullable;

/**
 * The server could not be reached, the connection was lost, or the server refused a command. The
 * message carries the server's own words where there are any, and never a credential.
 */
public class RedisConnectorException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param message what happened, with the key and the server's words
   * @param cause what led to it
   */
  public RedisConnectorException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
