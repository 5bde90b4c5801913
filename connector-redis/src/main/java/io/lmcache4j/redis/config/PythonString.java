/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.config;

import org.jspecify.annotations.Nullable;

/**
 * The text of an {@code LMCACHE_*} variable, unquoted as {@code _parse_quoted_string} does it
 * (lmcache/v1/config_base.py, LMCache 0.5.6): white space around it goes; a text in quotes is read
 * as a Python literal, and if it is none only loses the quotes.
 */
final class PythonString {

  private static final String ESCAPES = "\\'\"abfnrtv";
  private static final String ESCAPED = "\\'\"\u0007\b\f\n\r\t\u000b";

  private PythonString() {}

  static String unquote(String raw) {
    String text = raw.strip();
    if (text.length() < 2) {
      return text;
    }
    char quote = text.charAt(0);
    if ((quote != '\'' && quote != '"') || text.charAt(text.length() - 1) != quote) {
      return text;
    }
    String body = text.substring(1, text.length() - 1);
    String literal = literal(body, quote);
    return literal != null ? literal : body;
  }

  /** Returns the value of a literal, or null where Python would say that it is a syntax error. */
  private static @Nullable String literal(String body, char quote) {
    StringBuilder out = new StringBuilder(body.length());
    int i = 0;
    while (i < body.length()) {
      char c = body.charAt(i++);
      if (c == quote || c == '\n' || c == '\r') {
        return null;
      }
      if (c != '\\') {
        out.append(c);
        continue;
      }
      if (i == body.length()) {
        return null;
      }
      char escape = body.charAt(i++);
      int simple = ESCAPES.indexOf(escape);
      int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : escape == 'U' ? 8 : 0;
      if (simple >= 0) {
        out.append(ESCAPED.charAt(simple));
      } else if (digits > 0) {
        int codePoint = number(body, i, digits, 16);
        if (codePoint < 0 || codePoint > Character.MAX_CODE_POINT) {
          return null;
        }
        out.appendCodePoint(codePoint);
        i += digits;
      } else if (escape >= '0' && escape <= '7') {
        int end = i;
        while (end < body.length() && end < i + 2 && Character.digit(body.charAt(end), 8) >= 0) {
          end++;
        }
        out.appendCodePoint(number(body, i - 1, end - i + 1, 8));
        i = end;
      } else {
        // Python keeps an escape that it does not know.
        out.append('\\').append(escape);
      }
    }
    return out.toString();
  }

  /** Returns the number that stands in {@code length} digits, or -1 if they are not there. */
  private static int number(String text, int from, int length, int radix) {
    if (from + length > text.length()) {
      return -1;
    }
    long n = 0;
    for (int i = from; i < from + length; i++) {
      int digit = Character.digit(text.charAt(i), radix);
      if (digit < 0) {
        return -1;
      }
      n = n * radix + digit;
    }
    return n > Character.MAX_CODE_POINT ? -1 : (int) n;
  }
}
