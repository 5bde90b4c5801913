/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

/** Texts that UTF-8 has no bytes for. */
final class Surrogates {

  private Surrogates() {}

  static boolean areUnpaired(String text) {
    return text.codePoints()
        .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
  }
}
