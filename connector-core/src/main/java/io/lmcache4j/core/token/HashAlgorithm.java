/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import java.util.Objects;

/**
 * The function that hashes a chunk's tokens together with the hash before it.
 *
 * <p>LMCache's setting {@code pre_caching_hash_algorithm} is a wish: the name is looked up in the
 * vLLM that is installed, and what is not found there becomes {@link #BUILTIN}, with a warning.
 * These constants are the function that was found. LMCache logs which one that is ({@code Loaded
 * 'sha256_cbor' from …}, or {@code Using builtin hash}).
 */
public enum HashAlgorithm {
  /**
   * Python's {@code hash()}. What LMCache uses without vLLM, and for every name that vLLM does not
   * know. LMCache 0.3.0 to 0.3.2 have no setting and a SHA-256 chain of their own, which is what
   * this constant means for them.
   */
  BUILTIN("builtin"),

  /** vLLM's {@code sha256_cbor}: SHA-256 of the canonical CBOR form, a digest of 32 bytes. */
  SHA256_CBOR("sha256_cbor"),

  /**
   * {@code sha256_cbor_64bit} of vLLM before pull request 23673: the low 64 bits of that digest, as
   * an integer. A newer vLLM has no such function: LMCache (0.3.9.post2 and newer) then finds
   * {@link #SHA256_CBOR} for this name.
   */
  SHA256_CBOR_64BIT("sha256_cbor_64bit"),

  /** vLLM's {@code sha256}: SHA-256 of Python's pickle. Never reproduced here. */
  SHA256("sha256"),

  /** vLLM's {@code xxhash_cbor}: XXH3-128 of the canonical CBOR form. Not reproduced here. */
  XXHASH_CBOR("xxhash_cbor");

  private final String configName;

  HashAlgorithm(String configName) {
    this.configName = configName;
  }

  /**
   * The value of {@code pre_caching_hash_algorithm}.
   *
   * @return e.g. {@code sha256_cbor}
   */
  public String configName() {
    return configName;
  }

  /**
   * Finds an algorithm by its name in LMCache's configuration.
   *
   * @param name e.g. {@code sha256_cbor}; case matters, as it does to LMCache
   * @return the algorithm
   * @throws IllegalArgumentException if none is called so; the message names those that are.
   *     LMCache would hash such a prompt with {@link #BUILTIN}
   */
  public static HashAlgorithm parse(String name) {
    Objects.requireNonNull(name, "name");
    StringBuilder known = new StringBuilder();
    for (HashAlgorithm a : values()) {
      if (name.equals(a.configName)) {
        return a;
      }
      known.append(known.length() == 0 ? "" : ", ").append(a.configName);
    }
    throw new IllegalArgumentException(
        "unknown hash algorithm \"" + name + "\" (known: " + known + ")");
  }
}
