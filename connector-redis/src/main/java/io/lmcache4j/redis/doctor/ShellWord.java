/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

/** A text as one word of a shell's command line. */
final class ShellWord {

  private static final int FIRST_PRINTABLE = 0x20;
  private static final int LAST_ASCII = 0x7e;

  private ShellWord() {}

  /**
   * Quotes a text, whatever is in it: plain where it may be, and otherwise as {@code $'…'} of bash,
   * zsh and ksh, in which nothing but printable ASCII stands.
   */
  static String of(String text) {
    if (text.matches("[A-Za-z0-9_%+=:,./@][A-Za-z0-9_%+=:,./@-]*")) {
      return text;
    }
    StringBuilder word = new StringBuilder("$'");
    text.codePoints()
        .forEach(
            c -> {
              if (c == '\\' || c == '\'') {
                word.append('\\').append((char) c);
              } else if (c >= FIRST_PRINTABLE && c <= LAST_ASCII) {
                word.append((char) c);
              } else {
                word.append(String.format("\\U%08x", c));
              }
            });
    return word.append('\'').toString();
  }
}
