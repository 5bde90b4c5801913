/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.memory;

import io.lmcache4j.core.LmcacheException;

/**
 * A lease was used, retained or released after its last reference had gone: a bug of the holder.
 */
public final class LeaseReleasedException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  LeaseReleasedException(String message) {
    super(message);
  }
}
