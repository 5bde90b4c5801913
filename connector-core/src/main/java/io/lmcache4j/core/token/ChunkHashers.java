/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.token.Sha256CborIntegerHasher.Bits;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Finds the chain that a release of LMCache computes, or says why it cannot be reproduced.
 *
 * <p>Source: {@code lmcache/v1/token_database.py} of each release, {@code vllm/utils/hashing.py},
 * and {@code init_none_hash} of {@code vllm/v1/core/kv_cache_utils.py}.
 */
final class ChunkHashers {

  private static final LmcacheVersion KNOWS_BOTH_CBOR_NAMES = LmcacheVersion.parse("0.3.9.post2");

  private final LmcacheVersion version;
  private final @Nullable PythonVersion python;
  private final @Nullable NoneHash noneHash;

  private ChunkHashers(
      LmcacheVersion version, @Nullable PythonVersion python, @Nullable NoneHash noneHash) {
    this.version = version;
    this.python = python;
    this.noneHash = noneHash;
  }

  /**
   * Finds a chain.
   *
   * @param algorithm the function that LMCache uses
   * @param version the release
   * @param python the Python that it runs on; null if unknown
   * @param noneHash where the chain starts; null if unknown
   * @return the chain
   * @throws UnreproducibleHashException if it cannot be reproduced
   * @throws IllegalStateException if it depends on what is unknown
   */
  static ChunkHasher find(
      HashAlgorithm algorithm,
      LmcacheVersion version,
      @Nullable PythonVersion python,
      @Nullable NoneHash noneHash) {
    ChunkHashers hashers = new ChunkHashers(version, python, noneHash);
    return switch (algorithm) {
      case BUILTIN -> hashers.builtin();
      case SHA256_CBOR -> hashers.sha256Cbor();
      case SHA256_CBOR_64BIT -> hashers.sha256Cbor64Bit();
      case SHA256 ->
          throw new UnreproducibleHashException(
              "sha256 digests Python's pickle of the tokens, which is not reproduced here");
      case XXHASH_CBOR ->
          throw new UnreproducibleHashException("xxhash_cbor (XXH3-128) is not reproduced here");
    };
  }

  private ChunkHasher builtin() {
    if (!hasChoice()) {
      return new Sha256HexHasher();
    }
    if (ThirdElement.of(version) == ThirdElement.NONE) {
      requireConstantNone();
    }
    return new BuiltinHasher(version, builtinNoneHash());
  }

  private boolean hasChoice() {
    return version.isAtLeast(0, 3, 3);
  }

  private void requireConstantNone() {
    if (python == null || !python.hashesNoneToConstant()) {
      throw new UnreproducibleHashException(
          "builtin of LMCache "
              + version
              + " hashes None, which Python hashes by its address before 3.12: on "
              + (python == null ? "an unknown Python" : "Python " + python)
              + " the hashes of each process may differ (LMCache 0.3.4 to 0.3.15)");
    }
  }

  private long builtinNoneHash() {
    NoneHash start = requireNoneHash();
    if (start instanceof NoneHash.IntegerValue known) {
      return PythonHash.ofInteger(known.value());
    }
    if (start instanceof NoneHash.Seed seed) {
      if (python == null) {
        throw new IllegalStateException(
            "pythonVersion must be set: hash(\"" + seed.text() + "\") depends on it");
      }
      return PythonHash.ofInteger(PythonHash.ofString(seed.text(), seed.number(), python));
    }
    throw new UnreproducibleHashException(
        "builtin hashes a NONE_HASH of bytes with Python's SipHash under the process's own key; give"
            + " the integer that LMCache logs");
  }

  private ChunkHasher sha256Cbor() {
    if (!version.isAtLeast(0, 3, 9)) {
      throw unknownName(HashAlgorithm.SHA256_CBOR);
    }
    if (!version.isAtLeast(0, 3, 13)) {
      throw new UnreproducibleHashException(
          "LMCache "
              + version
              + " fails on the digests of sha256_cbor (TypeError when it prints the key)");
    }
    if (foldsDigests()) {
      return new Sha256CborIntegerHasher(
          version, Bits.HIGH, cborNoneHash(digest -> cborOf(Bits.HIGH.of(digest))));
    }
    return new Sha256CborDigestHasher(version, cborNoneHash(ChunkHashers::cborOf));
  }

  private boolean foldsDigests() {
    return version.isAtLeast(0, 4, 6);
  }

  private ChunkHasher sha256Cbor64Bit() {
    boolean known =
        hasChoice() && (!version.isAtLeast(0, 3, 9) || !version.isBefore(KNOWS_BOTH_CBOR_NAMES));
    if (!known) {
      throw unknownName(HashAlgorithm.SHA256_CBOR_64BIT);
    }
    return new Sha256CborIntegerHasher(
        version, Bits.LOW, cborNoneHash(digest -> cborOf(Bits.LOW.of(digest))));
  }

  private UnreproducibleHashException unknownName(HashAlgorithm algorithm) {
    return new UnreproducibleHashException(
        "LMCache "
            + version
            + " does not know "
            + algorithm.configName()
            + ": it hashes with builtin, after a warning");
  }

  /**
   * Returns NONE_HASH in CBOR.
   *
   * @param ofSeed what becomes of the digest of the seed's text
   */
  private byte[] cborNoneHash(UnaryOperator<byte[]> ofSeed) {
    NoneHash start = requireNoneHash();
    if (start instanceof NoneHash.IntegerValue known) {
      return cborOf(known.value());
    }
    if (start instanceof NoneHash.DigestValue known) {
      byte[] digest = known.bytes();
      return foldsDigests() ? cborOf(Bits.HIGH.of(digest)) : cborOf(digest);
    }
    byte[] text = cbor(writer -> writer.writeText(seedText(start)));
    return ofSeed.apply(new Sha256().digest(text, 0, text.length));
  }

  private NoneHash requireNoneHash() {
    if (noneHash == null) {
      throw new IllegalStateException(
          "noneHash must be set: it is 0 without vLLM and depends on PYTHONHASHSEED with it");
    }
    if (noneHash instanceof NoneHash.Seed && !version.isAtLeast(0, 3, 4)) {
      throw new UnreproducibleHashException(
          "LMCache "
              + version
              + " takes NONE_HASH from vLLM as vLLM made it when it was imported; give its value");
    }
    return noneHash;
  }

  private static byte[] seedText(NoneHash start) {
    return ((NoneHash.Seed) start).text().getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] cborOf(BigInteger value) {
    return value.signum() < 0
        ? cbor(writer -> writer.writeInteger(value.longValueExact()))
        : cborOf(value.longValue());
  }

  private static byte[] cborOf(long unsigned) {
    return cbor(writer -> writer.writeUnsigned(unsigned));
  }

  private static byte[] cborOf(byte[] digest) {
    return cbor(writer -> writer.writeBytes(digest));
  }

  private static byte[] cbor(Consumer<CborTupleWriter> content) {
    CborTupleWriter writer = new CborTupleWriter(0, ThirdElement.ABSENT);
    content.accept(writer);
    return Arrays.copyOfRange(writer.array(), writer.offset(), writer.offset() + writer.length());
  }
}
