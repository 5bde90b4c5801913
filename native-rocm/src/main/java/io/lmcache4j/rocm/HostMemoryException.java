/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.LmcacheException;
import org.jspecify.annotations.Nullable;

/** The operating system did not give the host memory that was asked for. */
public final class HostMemoryException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  HostMemoryException(String message) {
    this(message, null);
  }

  HostMemoryException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
