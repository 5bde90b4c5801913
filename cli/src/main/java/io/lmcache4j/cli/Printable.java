/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

/** Texts of strangers, made safe to be shown: names of keys may be anything. */
final class Printable {

  private Printable() {}

  /**
   * Escapes what a terminal would act on or a reader be misled by: control characters, marks that
   * turn the direction of writing, what is not assigned.
   */
  static String of(String text) {
    StringBuilder printable = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              if (isPlain(c)) {
                printable.appendCodePoint(c);
              } else {
                printable.append(String.format(c < 0x100 ? "\\x%02x" : "\\u{%x}", c));
              }
            });
    return printable.toString();
  }

  private static boolean isPlain(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }

  /** The same for a place inside an HTML element or attribute. */
  static String html(String text) {
    return escapeHtml(of(text));
  }

  /** The same of a text that is printable already. */
  static String escapeHtml(String printable) {
    StringBuilder escaped = new StringBuilder(printable.length());
    for (int i = 0; i < printable.length(); i++) {
      char c = printable.charAt(i);
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&quot;");
        case '\'' -> escaped.append("&#39;");
        default -> escaped.append(c);
      }
    }
    return escaped.toString();
  }

  /** At most so many characters of a text that has been made safe. */
  static String cut(String printable, int most) {
    if (printable.length() <= most) {
      return printable;
    }
    // Half a pair would be no character at all.
    int end = Character.isHighSurrogate(printable.charAt(most - 2)) ? most - 2 : most - 1;
    return printable.substring(0, end) + "…";
  }
}
