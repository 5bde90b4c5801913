/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lmcache4j.core.LmcacheException;

/**
 * The server sent what no reply can be; the connection is closed, since where the next reply begins
 * is unknown.
 */
public final class ProtocolViolationException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  ProtocolViolationException(String what) {
    super("the server's reply stream is broken: " + what);
  }
}
