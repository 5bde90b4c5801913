/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import io.lmcache4j.core.LmcacheException;

/** A text that is no cache key, or a part that no cache key can have. */
public final class KeySyntaxException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  private final String text;
  private final String field;
  private final String value;
  private final String expected;

  KeySyntaxException(String text, String field, String value, String expected) {
    super(
        "cache key "
            + quote(text)
            + ": "
            + field
            + " is "
            + quote(value)
            + ", expected "
            + expected);
    this.text = text;
    this.field = field;
    this.value = value;
    this.expected = expected;
  }

  /**
   * The whole key.
   *
   * @return the text as it was given to a parser, or as the refused parts would have made it
   */
  public String text() {
    return text;
  }

  /**
   * The part that is wrong, e.g. {@code chunk hash}.
   *
   * @return its name
   */
  public String field() {
    return field;
  }

  /**
   * What that part is.
   *
   * @return its text
   */
  public String value() {
    return value;
  }

  /**
   * What that part should be.
   *
   * @return a phrase in English
   */
  public String expected() {
    return expected;
  }
}
