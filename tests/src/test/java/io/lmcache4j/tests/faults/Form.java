/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

/** How long the suite takes: short in the default build, long with {@code -Pfaults}. */
enum Form {
  /** Short deadlines, and faults that outlast them. */
  SHORT,
  /** The connector's own deadlines. */
  LONG;

  /** Set by the Maven profile {@code faults}. */
  private static final String PROPERTY = "lmcache4j.faults";

  static Form ofThisRun() {
    return "long".equals(System.getProperty(PROPERTY)) ? LONG : SHORT;
  }

  <T> T pick(T inShort, T inLong) {
    return this == SHORT ? inShort : inLong;
  }
}
