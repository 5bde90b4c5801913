/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core;

import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A release of Python LMCache, as a switch for everything on the wire that changed between
 * releases: key grammars, chunk hashes, numbers of memory formats, shapes in the header.
 *
 * <p>Post and candidate releases compare as PEP 440 has them: {@code 0.3.9 < 0.3.9.post2 < 0.3.10},
 * {@code 0.5.7rc2 < 0.5.7}.
 *
 * @param major first number
 * @param minor second number
 * @param patch third number
 * @param suffix negative for a candidate ({@code rc2} of at most {@value #MAX_SUFFIX} is {@code 2 -
 *     1000}), 0 for the release itself, the number of a post release otherwise
 */
public record LmcacheVersion(int major, int minor, int patch, int suffix)
    implements Comparable<LmcacheVersion> {

  private static final int MAX_SUFFIX = 999;
  private static final int CANDIDATE = -(MAX_SUFFIX + 1);
  private static final Pattern SYNTAX =
      Pattern.compile("(\\d{1,4})\\.(\\d{1,4})\\.(\\d{1,4})(?:\\.?(post|rc)(\\d{1,3}))?");

  /** The first release whose wire is known here. */
  public static final LmcacheVersion OLDEST = of(0, 3, 0);

  /**
   * The release against which this library is proven, and the default wherever a version can be
   * chosen.
   */
  public static final LmcacheVersion CURRENT = of(0, 5, 6);

  /**
   * Returns the plain release {@code major.minor.patch}.
   *
   * @param major first number
   * @param minor second number
   * @param patch third number
   * @return the version
   */
  public static LmcacheVersion of(int major, int minor, int patch) {
    return new LmcacheVersion(major, minor, patch, 0);
  }

  /**
   * Parses {@code 0.5.6}, {@code 0.3.9.post2} or {@code 0.5.7rc2}.
   *
   * @param text the version as PyPI spells it
   * @return the version
   * @throws IllegalArgumentException if the text is none, or is older than {@link #OLDEST}
   */
  public static LmcacheVersion parse(String text) {
    Matcher m = SYNTAX.matcher(Objects.requireNonNull(text, "text"));
    if (!m.matches()) {
      throw new IllegalArgumentException(
          "not an LMCache version: \"" + text + "\" (expected e.g. 0.5.6, 0.3.9.post2)");
    }
    int suffix = m.group(4) == null ? 0 : Integer.parseInt(m.group(5));
    LmcacheVersion version =
        new LmcacheVersion(
            Integer.parseInt(m.group(1)),
            Integer.parseInt(m.group(2)),
            Integer.parseInt(m.group(3)),
            "rc".equals(m.group(4)) ? CANDIDATE + suffix : suffix);
    if (version.isBefore(OLDEST)) {
      throw new IllegalArgumentException(
          "LMCache " + text + " is older than " + OLDEST + ", the first whose wire is known here");
    }
    return version;
  }

  /**
   * Whether this version is {@code major.minor.patch} or newer.
   *
   * @param major first number
   * @param minor second number
   * @param patch third number
   * @return true from that release on, its post releases included
   */
  public boolean isAtLeast(int major, int minor, int patch) {
    return compareTo(of(major, minor, patch)) >= 0;
  }

  /**
   * Whether this version came before another.
   *
   * @param other the version to compare with
   * @return true if this one is older
   */
  public boolean isBefore(LmcacheVersion other) {
    return compareTo(other) < 0;
  }

  @Override
  public int compareTo(LmcacheVersion o) {
    int c = Integer.compare(major, o.major);
    c = c != 0 ? c : Integer.compare(minor, o.minor);
    c = c != 0 ? c : Integer.compare(patch, o.patch);
    return c != 0 ? c : Integer.compare(suffix, o.suffix);
  }

  /** Returns the version as PyPI spells it. */
  @Override
  public String toString() {
    String release = major + "." + minor + "." + patch;
    if (suffix == 0) {
      return release;
    }
    return suffix > 0 ? release + ".post" + suffix : release + "rc" + (suffix - CANDIDATE);
  }
}
