/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import java.math.BigInteger;
import java.util.HexFormat;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a chain of chunk hashes starts: LMCache's {@code NONE_HASH}, the "hash" before the first
 * chunk.
 *
 * <p>It is 0 only where vLLM is absent, or older than its pull request 20511. Otherwise vLLM makes
 * it ({@code init_none_hash}): the hash of {@code PYTHONHASHSEED} as text if that variable is set,
 * 32 random bytes otherwise. LMCache 0.3.9.post2 and newer log it ({@code Initialized
 * NONE_HASH=…}), and a value from a log can be given here. All processes that share a cache must
 * agree on it; those that don't see a cold cache and no error.
 */
public sealed interface NoneHash {

  /**
   * The rule for a process without vLLM.
   *
   * @return the integer 0
   */
  static NoneHash zero() {
    return of(0);
  }

  /**
   * A value that is known.
   *
   * @param value the integer
   * @return that integer
   */
  static NoneHash of(long value) {
    return of(BigInteger.valueOf(value));
  }

  /**
   * A value that is known, e.g. the unsigned 64-bit integer of {@code sha256_cbor} since 0.4.6.
   *
   * @param value the integer, -2^63 to 2^64 - 1
   * @return that integer
   * @throws IllegalArgumentException if the value is outside these limits
   */
  static NoneHash of(BigInteger value) {
    return new IntegerValue(value);
  }

  /**
   * A digest that is known ({@code sha256_cbor} before 0.4.6).
   *
   * @param digest 32 bytes, copied
   * @return that digest
   * @throws IllegalArgumentException if there are more bytes, or fewer
   */
  static NoneHash ofDigest(byte[] digest) {
    return new DigestValue(HexFormat.of().formatHex(digest));
  }

  /**
   * The rule for a process with vLLM: the hash of {@code PYTHONHASHSEED}'s text.
   *
   * @param pythonHashSeed the variable's value as it was set, {@code 0} to {@code 4294967295} or
   *     {@code random}; null if it was not set
   * @return that rule
   * @throws UnreproducibleHashException if it was not set
   * @throws IllegalArgumentException if Python would not start with this value
   */
  static NoneHash ofSeed(@Nullable String pythonHashSeed) {
    if (pythonHashSeed == null) {
      throw new UnreproducibleHashException(
          "PYTHONHASHSEED is not set: vLLM draws NONE_HASH at random in each process");
    }
    return new Seed(pythonHashSeed);
  }

  /**
   * A known integer.
   *
   * @param value the integer
   */
  record IntegerValue(BigInteger value) implements NoneHash {

    private static final BigInteger MIN = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MAX =
        BigInteger.ONE.shiftLeft(Long.SIZE).subtract(BigInteger.ONE);

    /**
     * Checks the value.
     *
     * @throws IllegalArgumentException if it is outside -2^63 to 2^64 - 1
     */
    public IntegerValue {
      if (value.compareTo(MIN) < 0 || value.compareTo(MAX) > 0) {
        throw new IllegalArgumentException(
            "NONE_HASH is " + value + ", allowed: " + MIN + " to " + MAX);
      }
    }
  }

  /**
   * A known digest.
   *
   * @param hex its 32 bytes as 64 lower-case hexadecimal digits
   */
  record DigestValue(String hex) implements NoneHash {

    private static final Pattern SYNTAX = Pattern.compile("[0-9a-f]{64}");

    /**
     * Checks the digits.
     *
     * @throws IllegalArgumentException if they are no such digest
     */
    public DigestValue {
      if (!SYNTAX.matcher(hex).matches()) {
        throw new IllegalArgumentException(
            "NONE_HASH is \"" + hex + "\", allowed: 64 lower-case hexadecimal digits");
      }
    }

    byte[] bytes() {
      return HexFormat.of().parseHex(hex);
    }
  }

  /**
   * The value of {@code PYTHONHASHSEED}.
   *
   * @param text its text, which is what vLLM hashes
   */
  record Seed(String text) implements NoneHash {

    private static final String RANDOM = "random";
    private static final Pattern DIGITS = Pattern.compile("[0-9]{1,32}");
    private static final long MAX = 4294967295L;

    /**
     * Checks the seed.
     *
     * @throws IllegalArgumentException if Python would not start with it
     */
    public Seed {
      Objects.requireNonNull(text, "text");
      if (!text.equals(RANDOM) && !isNumber(text)) {
        throw new IllegalArgumentException(
            "PYTHONHASHSEED is \"" + text + "\", allowed: \"random\" or 0 to " + MAX);
      }
    }

    private static boolean isNumber(String text) {
      return DIGITS.matcher(text).matches()
          && new BigInteger(text).compareTo(BigInteger.valueOf(MAX)) <= 0;
    }

    /**
     * The seed of {@code hash(str)}.
     *
     * @throws UnreproducibleHashException for {@code random}
     */
    long number() {
      if (text.equals(RANDOM)) {
        throw new UnreproducibleHashException(
            "PYTHONHASHSEED is \"random\": hash(str), and with it NONE_HASH, differs in each process");
      }
      return Long.parseLong(text);
    }
  }
}
