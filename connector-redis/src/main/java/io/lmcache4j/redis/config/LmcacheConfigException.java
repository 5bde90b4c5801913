/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.config;

import io.lmcache4j.core.LmcacheException;

/**
 * LMCache's configuration cannot be read, or says something that cannot be meant.
 *
 * <p>The message names the variable, or the file with its line, and the key. It never quotes a
 * value that may carry a credential, nor the text around a syntax error.
 */
public final class LmcacheConfigException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  LmcacheConfigException(String message) {
    super(message);
  }
}
