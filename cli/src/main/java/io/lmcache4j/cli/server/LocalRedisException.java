/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.server;

import io.lmcache4j.core.LmcacheException;
import org.jspecify.annotations.Nullable;

/** No Redis could be started; the message has the server's last words, if it said any. */
public final class LocalRedisException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  LocalRedisException(String message) {
    super(message);
  }

  LocalRedisException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
