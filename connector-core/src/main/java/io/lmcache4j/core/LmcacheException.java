/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core;

import org.jspecify.annotations.Nullable;

/**
 * Root of every exception that this library throws or hands out as the cause of an outcome.
 *
 * <p>Absence is never one of them: a miss, a corrupt entry or exhausted memory are outcomes.
 * Messages name the key, the value and the limit, and never a credential.
 */
public abstract class LmcacheException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param message what was wrong, with the key, the value and the limit
   */
  protected LmcacheException(String message) {
    super(message);
  }

  /**
   * Creates an exception with a cause.
   *
   * @param message what was wrong, with the key, the value and the limit
   * @param cause what led to it
   */
  protected LmcacheException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
