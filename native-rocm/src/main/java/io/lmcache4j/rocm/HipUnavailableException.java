/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.LmcacheException;

/** {@code -Dlmcache4j.rocm=required} was given and there is no device. */
public final class HipUnavailableException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  HipUnavailableException(String message) {
    super(message);
  }
}
