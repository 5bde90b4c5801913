/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.config;

import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One value that was set, with where it was set, and the conversions of LMCache's {@code
 * env_converter}s (lmcache/v1/config_base.py, LMCache 0.5.6).
 *
 * @param origin what a message says of it: {@code LMCACHE_CHUNK_SIZE}, or {@code
 *     /etc/lmcache.yaml:3: chunk_size}
 * @param value what YAML made of it, or the variable's text; null for YAML's null
 */
record Setting(String origin, @Nullable Object value) {

  /**
   * Longer than any number that is in range, and short enough for the pattern and for BigInteger.
   */
  private static final int MAX_NUMBER = 100;

  /** What Python's {@code int(str)} takes, less the digits of other scripts. */
  private static final Pattern PYTHON_INT = Pattern.compile("[+-]?\\d+(?:_\\d+)*");

  /** Returns the value as a number of at least {@code least}. */
  int toInt(int least) {
    BigInteger number = integral();
    if (number.compareTo(BigInteger.valueOf(least)) < 0
        || number.compareTo(BigInteger.valueOf(Integer.MAX_VALUE)) > 0) {
      throw refused("must be from " + least + " to " + Integer.MAX_VALUE + ", and is " + number);
    }
    return number.intValue();
  }

  private BigInteger integral() {
    if (value instanceof Integer || value instanceof Long || value instanceof BigInteger) {
      return new BigInteger(value.toString());
    }
    if (value instanceof String string) {
      String text = string.strip();
      if (text.length() <= MAX_NUMBER && PYTHON_INT.matcher(text).matches()) {
        return new BigInteger(text.replace("_", ""));
      }
    }
    throw refused("must be a whole number, and is " + describe());
  }

  /** Returns what {@code _to_bool} returns: {@code true} and {@code 1} are true, all else false. */
  boolean toBool(List<String> warnings) {
    if (value instanceof Boolean bool) {
      return bool;
    }
    // Python's str(None) is "None": false, as everything that is not understood.
    String text =
        value == null || isCollection(value)
            ? "None"
            : value.toString().strip().toLowerCase(Locale.ROOT);
    boolean result = text.equals("true") || text.equals("1");
    if (!result && !text.equals("false") && !text.equals("0")) {
      warnings.add(origin + " is " + describe() + ", which LMCache reads as false");
    }
    return result;
  }

  /** Returns the text of a scalar. */
  String toText() {
    if (value == null || isCollection(value)) {
      throw refused("must be a text, and is " + describe());
    }
    return value.toString();
  }

  /** Returns what {@code _to_str_list} returns: a list, or a text split at commas. */
  List<String> toTextList() {
    if (value instanceof List<?> list) {
      if (list.stream().anyMatch(Setting::isCollection)) {
        throw refused("must be a list of texts, and has a list or a mapping in it");
      }
      return list.stream().map(String::valueOf).toList();
    }
    return Pattern.compile(",")
        .splitAsStream(toText())
        .map(String::strip)
        .filter(part -> !part.isEmpty())
        .toList();
  }

  /** A collection is never printed: through its aliases it may be endless, or as good as. */
  private static boolean isCollection(@Nullable Object value) {
    return value instanceof Map || value instanceof Iterable;
  }

  LmcacheConfigException refused(String why) {
    return new LmcacheConfigException(origin + ": " + why);
  }

  /** Collections are only named: they may be large, or hold a credential. */
  String describe() {
    if (value == null) {
      return "null";
    }
    if (value instanceof Map) {
      return "a mapping";
    }
    if (value instanceof Iterable) {
      return "a list";
    }
    String text = value.toString();
    return "\"" + (text.length() > 40 ? text.substring(0, 40) + "…" : text) + '"';
  }

  /** A URL or a collection may be the value: only the origin is shown. */
  @Override
  public String toString() {
    return origin;
  }
}
