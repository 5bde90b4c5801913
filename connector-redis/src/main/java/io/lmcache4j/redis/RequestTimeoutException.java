/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.time.Duration;

/**
 * An operation had no answer within its time, which counts from the call: waiting for the byte
 * budget is part of it.
 *
 * <p>The bytes may still be under way; no lease that was handed on is ever touched by them.
 */
public final class RequestTimeoutException extends RedisConnectorException {

  private static final long serialVersionUID = 1L;

  RequestTimeoutException(String operation, Duration timeout) {
    super(operation + ": no answer within " + timeout.toMillis() + " ms", null);
  }
}
