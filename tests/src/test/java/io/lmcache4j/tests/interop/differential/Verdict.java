/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import org.jspecify.annotations.Nullable;

/**
 * What became of one case.
 *
 * @param outcome whether the sides agree
 * @param difference the listed difference, if that is it
 * @param detail what disagrees, if that is not listed
 */
record Verdict(Outcome outcome, @Nullable Difference difference, String detail) {

  enum Outcome {
    /** Both accept, with equal results. */
    EQUAL,
    /** Both refuse. */
    REFUSED,
    /** A listed difference. */
    DIFFERENT,
    /** Anything else. */
    FAILED
  }

  static Verdict equal() {
    return new Verdict(Outcome.EQUAL, null, "");
  }

  static Verdict refused() {
    return new Verdict(Outcome.REFUSED, null, "");
  }

  static Verdict different(Difference difference) {
    return new Verdict(Outcome.DIFFERENT, difference, "");
  }

  static Verdict failed(String detail, @Nullable Object python, @Nullable Object java) {
    return new Verdict(
        Outcome.FAILED, null, detail + "\n  python: " + python + "\n  java: " + java);
  }

  boolean isFailure() {
    return outcome == Outcome.FAILED;
  }

  /** Whether the other verdict is the same finding, whatever its details. */
  boolean isLike(Verdict other) {
    return outcome == other.outcome && difference == other.difference;
  }

  /** How a vector file says it. */
  String name() {
    return difference == null ? outcome.name() : difference.name();
  }
}
