/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import io.lmcache4j.core.LmcacheVersion;
import java.util.List;

/**
 * The releases that the environment has ({@code tests/python/lock.py}), oldest first.
 *
 * @param name as PyPI spells it
 */
record Release(String name) {

  static final Release CURRENT = new Release(LmcacheVersion.CURRENT.toString());

  /** Every release, the installed one last. */
  static List<Release> all() {
    return List.of(
        new Release("0.3.1"),
        new Release("0.3.3"),
        new Release("0.3.7"),
        new Release("0.3.12"),
        new Release("0.3.15"),
        new Release("0.4.3"),
        new Release("0.4.7"),
        new Release("0.5.0"),
        CURRENT);
  }

  LmcacheVersion version() {
    return LmcacheVersion.parse(name);
  }

  boolean isAtLeast(String other) {
    return !version().isBefore(LmcacheVersion.parse(other));
  }

  boolean isCurrent() {
    return equals(CURRENT);
  }

  @Override
  public String toString() {
    return name;
  }
}
