/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import io.lmcache4j.core.LmcacheException;

/**
 * The hashes that were asked for cannot be computed outside the process that made them, or not
 * here; the message gives the reason.
 *
 * <p>Guessing would not fail later: it would look like a cold cache.
 */
public final class UnreproducibleHashException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  UnreproducibleHashException(String message) {
    super(message);
  }
}
