/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Token ids as text: whole numbers between spaces, line breaks or commas, with or without the
 * brackets of a JSON array around them.
 */
final class TokenText {

  private static final Pattern SEPARATOR = Pattern.compile("\\s*,\\s*|\\s+");
  private static final Pattern NUMBER = Pattern.compile("-?\\d{1,19}");
  private static final int SHOWN = 40;

  private TokenText() {}

  /**
   * Returns the ids.
   *
   * @param source what a message calls the text
   */
  static long[] parse(String source, String text) {
    String body = text.strip();
    if (body.startsWith("[") && body.endsWith("]")) {
      body = body.substring(1, body.length() - 1).strip();
    }
    if (body.isEmpty()) {
      return new long[0];
    }
    long[] tokens = new long[256];
    int count = 0;
    Matcher separator = SEPARATOR.matcher(body);
    int start = 0;
    boolean more = true;
    while (more) {
      more = separator.find();
      String word = body.substring(start, more ? separator.start() : body.length());
      if (count == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * count);
      }
      tokens[count++] = number(source, count, word);
      start = more ? separator.end() : start;
    }
    return Arrays.copyOf(tokens, count);
  }

  private static long number(String source, int position, String word) {
    try {
      if (NUMBER.matcher(word).matches()) {
        return Long.parseLong(word);
      }
    } catch (NumberFormatException e) {
      // Nineteen digits may be too many: the same answer as for any other word.
      return refuse(source, position, word);
    }
    return refuse(source, position, word);
  }

  private static long refuse(String source, int position, String word) {
    String shown = word.length() > SHOWN ? word.substring(0, SHOWN) + "…" : word;
    throw CommandException.badInput(
        source + ": token " + position + " is \"" + shown + "\", which is no token id");
  }
}
