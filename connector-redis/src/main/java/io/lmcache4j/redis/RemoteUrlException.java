/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.LmcacheException;

/** A remote URL cannot be used. The message shows the URL without its credentials. */
public final class RemoteUrlException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  RemoteUrlException(String message) {
    super(message);
  }
}
