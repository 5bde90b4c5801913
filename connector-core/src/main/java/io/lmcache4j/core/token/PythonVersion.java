/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The CPython that LMCache runs on, as far as {@code hash()} depends on it: strings hash with
 * SipHash-2-4 up to 3.10 and SipHash-1-3 since; {@code None} hashes to a constant since 3.12, and
 * to an address before.
 *
 * <p>Integers and tuples of them hash alike on all of 3.8 to 3.14.
 *
 * @param major first number; 3
 * @param minor second number; 8 to 14
 */
public record PythonVersion(int major, int minor) {

  private static final Pattern SYNTAX = Pattern.compile("(\\d{1,4})\\.(\\d{1,4})(?:\\.\\d{1,4})?");

  private static final int MAJOR = 3;
  private static final int OLDEST_MINOR = 8;
  private static final int NEWEST_MINOR = 14;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if {@code hash()} of that version is not known here
   */
  public PythonVersion {
    if (major != MAJOR || minor < OLDEST_MINOR || minor > NEWEST_MINOR) {
      throw new IllegalArgumentException(
          "hash() of Python "
              + (major + "." + minor)
              + " is not known here, only that of 3.8 to 3.14");
    }
  }

  /**
   * Parses {@code 3.11} or {@code 3.11.7}.
   *
   * @param text the version; a third number is read and ignored
   * @return the version
   * @throws IllegalArgumentException if the text is none, or that version's {@code hash()} is not
   *     known here
   */
  public static PythonVersion parse(String text) {
    Matcher m = SYNTAX.matcher(Objects.requireNonNull(text, "text"));
    if (!m.matches()) {
      throw new IllegalArgumentException(
          "not a Python version: \"" + text + "\" (expected e.g. 3.11)");
    }
    return new PythonVersion(Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2)));
  }

  /** Whether {@code hash(str)} is SipHash-1-3 rather than SipHash-2-4 (bpo-29410). */
  boolean usesSipHash13() {
    return minor >= 11;
  }

  /** Whether {@code hash(None)} is a constant rather than an address (gh-99540). */
  boolean hashesNoneToConstant() {
    return minor >= 12;
  }

  /** Returns e.g. {@code 3.11}. */
  @Override
  public String toString() {
    return major + "." + minor;
  }
}
