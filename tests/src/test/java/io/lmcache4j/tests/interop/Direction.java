/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

/** Who wrote what the other one had to make sense of. */
enum Direction {
  /** Both computed it from the same input. */
  BOTH("both compute"),
  /** LMCache wrote, lmcache4j read. */
  PYTHON_TO_JAVA("Python → Java"),
  /** lmcache4j wrote, LMCache read. */
  JAVA_TO_PYTHON("Java → Python"),
  /** LMCache wrote, lmcache4j read and wrote anew, LMCache read. */
  THROUGH_JAVA("Python → Java → Python");

  final String title;

  Direction(String title) {
    this.title = title;
  }
}
