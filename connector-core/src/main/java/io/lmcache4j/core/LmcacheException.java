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

  /** How many characters of a foreign text a message repeats. */
  private static final int QUOTED_CHARS = 200;

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

  /**
   * Returns a text between quotation marks, fit for a log line: shortened to {@value #QUOTED_CHARS}
   * characters, control characters escaped. Keys come from other processes and may be anything.
   *
   * @param text the text
   * @return the text for a message
   */
  protected static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    int shown = Math.min(text.length(), QUOTED_CHARS);
    for (int i = 0; i < shown; i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c) || isUnpaired(text, i, shown)) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
    if (shown < text.length()) {
      out.append("… (").append(text.length()).append(" characters)");
    }
    return out.toString();
  }

  private static boolean isUnpaired(String text, int at, int end) {
    char c = text.charAt(at);
    if (Character.isHighSurrogate(c)) {
      return at + 1 >= end || !Character.isLowSurrogate(text.charAt(at + 1));
    }
    return Character.isLowSurrogate(c)
        && (at == 0 || !Character.isHighSurrogate(text.charAt(at - 1)));
  }
}
