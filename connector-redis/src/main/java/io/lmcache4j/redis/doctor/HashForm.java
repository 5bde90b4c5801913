/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.redis.StoredName;

/** What a chunk's hash says about how it was computed. Sources: {@code lmcache/utils.py}. */
enum HashForm {
  /** Nothing: half of the numbers of each algorithm look so, and old grammars have their own. */
  ANY("hashes that may be of any algorithm"),

  /** A minus: Python's {@code hash()}, whose value depends on PYTHONHASHSEED. */
  BUILTIN("builtin (signed numbers)"),

  /** Above 2^63: SHA-256 of CBOR, its first eight bytes unsigned, from 0.4.6 on. */
  SHA256_CBOR("sha256_cbor of LMCache 0.4.6 and newer (unsigned numbers)"),

  /** A digest kept whole: LMCache 0.3.13 to 0.4.5 with an algorithm of vLLM. */
  DIGEST("whole digests, of LMCache 0.3.13 to 0.4.5");

  private static final int DIGEST_DIGITS = 32;
  private static final int LONG_DIGITS = 16;

  private final String label;

  HashForm(String label) {
    this.label = label;
  }

  String label() {
    return label;
  }

  static HashForm of(StoredName name) {
    KeyFormat grammar = name.grammar();
    if (grammar == null || grammar.compareTo(KeyFormat.V0_3_6) < 0) {
      return ANY;
    }
    String hash = name.key().chunkHash();
    if (hash.startsWith("-")) {
      return BUILTIN;
    }
    if (hash.length() >= DIGEST_DIGITS) {
      return DIGEST;
    }
    return hash.length() == LONG_DIGITS && hash.charAt(0) >= '8' ? SHA256_CBOR : ANY;
  }
}
