/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import io.lmcache4j.core.LmcacheVersion;

/**
 * What follows the tokens in the tuple that LMCache hashes: its extra keys, of which there are
 * none.
 *
 * <p>Source: {@code _hash_tokens}, {@code lmcache/v1/token_database.py}.
 */
enum ThirdElement {
  /** 0.3.3 hashes {@code (previous, tokens)}. */
  ABSENT,
  /** 0.3.4 to 0.3.15 hash {@code (previous, tokens, None)}. */
  NONE,
  /** 0.4.1 and newer hash {@code (previous, tokens, ())}. */
  EMPTY_TUPLE;

  static ThirdElement of(LmcacheVersion version) {
    if (!version.isAtLeast(0, 3, 4)) {
      return ABSENT;
    }
    return version.isAtLeast(0, 4, 1) ? EMPTY_TUPLE : NONE;
  }

  /** The length of the tuple. */
  int tupleLength() {
    return this == ABSENT ? 2 : 3;
  }
}
