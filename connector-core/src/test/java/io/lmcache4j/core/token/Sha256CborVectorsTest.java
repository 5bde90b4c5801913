/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.VectorFile;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What vLLM's hash functions make of LMCache's chain. */
class Sha256CborVectorsTest {

  private static final int CHAINS = 4;

  private final JsonNode vectors = VectorFile.read("hash_cbor_restated");

  private record Chain(HashAlgorithm algorithm, String version, boolean fromZero) {}

  private static final Map<String, Chain> REPRODUCED =
      Map.of(
          "lmcache>=0.4.6 sha256_cbor, vLLM bytes digests, first 8 bytes BE, third=()",
          new Chain(HashAlgorithm.SHA256_CBOR, "0.4.6", false),
          "lmcache>=0.4.6 sha256_cbor but NONE_HASH=0 (vLLM without init_none_hash)",
          new Chain(HashAlgorithm.SHA256_CBOR, "0.5.6", true),
          "lmcache 0.4.1-0.4.5 sha256_cbor, 32-byte digests kept, third=()",
          new Chain(HashAlgorithm.SHA256_CBOR, "0.4.5", false),
          "lmcache 0.3.13-0.3.15 sha256_cbor, 32-byte digests kept, third=None",
          new Chain(HashAlgorithm.SHA256_CBOR, "0.3.13", false),
          "sha256_cbor_64bit (old vLLM, int low 64 bits), third=None (lmcache 0.3.4-0.3.7)",
          new Chain(HashAlgorithm.SHA256_CBOR_64BIT, "0.3.7", false),
          "sha256_cbor_64bit (old vLLM, int low 64 bits), third=() (lmcache>=0.4.1)",
          new Chain(HashAlgorithm.SHA256_CBOR_64BIT, "0.4.1", false));

  private static final Map<String, HashAlgorithm> REFUSED =
      Map.of(
          "lmcache>=0.4.6 sha256 (pickle protocol 5), first 8 bytes BE, third=()",
          HashAlgorithm.SHA256,
          "lmcache>=0.4.6 xxhash_cbor (xxh3_128, first 8 bytes BE), third=()",
          HashAlgorithm.XXHASH_CBOR);

  @TestFactory
  Stream<DynamicTest> hashesAsEachChain() {
    List<JsonNode> chains = HashVectors.list(vectors.path("chains"));
    assertThat(chains).hasSize(CHAINS);
    return chains.stream()
        .flatMap(
            row -> {
              assertThat(row.path("results")).hasSize(REPRODUCED.size() + REFUSED.size());
              return REPRODUCED.entrySet().stream()
                  .map(
                      e ->
                          DynamicTest.dynamicTest(
                              row.path("tokens").textValue()
                                  + " by "
                                  + row.path("chunk_size").intValue()
                                  + " seed "
                                  + row.path("PYTHONHASHSEED").textValue()
                                  + ": "
                                  + e.getKey(),
                              () -> assertChain(row, e.getKey(), e.getValue())));
            });
  }

  private static void assertChain(JsonNode row, String name, Chain chain) {
    ChunkedTokenDatabase database =
        HashVectors.llama()
            .hashAlgorithm(chain.algorithm())
            .version(LmcacheVersion.parse(chain.version()))
            .chunkSize(row.path("chunk_size").intValue())
            .saveUnfullChunk(row.path("save_unfull_chunk").booleanValue())
            .noneHash(
                chain.fromZero()
                    ? NoneHash.zero()
                    : NoneHash.ofSeed(row.path("PYTHONHASHSEED").textValue()))
            .build();
    long[] tokens = HashVectors.tokens(row.path("tokens").textValue());
    List<JsonNode> links = HashVectors.list(row.path("results").path(name));
    List<String> expected = links.stream().map(l -> l.path("key_hash").textValue()).toList();

    assertThat(expected).isNotEmpty();
    assertThat(HashVectors.chunkHashes(database.processTokens(tokens))).isEqualTo(expected);
    assertThat(HashVectors.fitsInt(tokens)).isTrue();
    assertThat(HashVectors.chunkHashes(database.processTokens(HashVectors.ints(tokens))))
        .isEqualTo(expected);
    if (links.get(0).has("int")) {
      long[] hashes = new long[links.size()];
      database.hashTokens(HashVectors.ints(tokens), hashes);
      for (int i = 0; i < hashes.length; i++) {
        assertThat(new BigInteger(Long.toUnsignedString(hashes[i])))
            .isEqualTo(links.get(i).path("int").bigIntegerValue());
      }
    }
  }

  @Test
  void refusesPickleAndXxhash() {
    assertThat(REFUSED).hasSize(2);
    REFUSED.forEach(
        (name, algorithm) -> {
          assertThat(vectors.path("chains").get(0).path("results").has(name)).isTrue();
          assertThatThrownBy(
                  () ->
                      HashVectors.llama()
                          .hashAlgorithm(algorithm)
                          .noneHash(NoneHash.zero())
                          .build())
              .isInstanceOf(UnreproducibleHashException.class)
              .hasMessageContaining(algorithm.configName());
        });
  }

  @TestFactory
  Stream<DynamicTest> startsFromTheHashOfTheSeed() {
    JsonNode seeds = vectors.path("cbor_none_hash");
    assertThat(seeds).hasSize(4);
    return seeds.properties().stream()
        .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> assertStart(e.getKey(), e.getValue())));
  }

  private static void assertStart(String seed, JsonNode expected) {
    byte[] digest = HexFormat.of().parseHex(expected.path("sha256_cbor_hex").textValue());
    NoneHash folded = NoneHash.of(expected.path("lmcache_0.4.6plus_int").bigIntegerValue());
    NoneHash low = NoneHash.of(expected.path("sha256_cbor_64bit_low64").bigIntegerValue());

    assertSame("0.4.6", HashAlgorithm.SHA256_CBOR, seed, folded);
    assertSame("0.4.6", HashAlgorithm.SHA256_CBOR, seed, NoneHash.ofDigest(digest));
    assertSame("0.4.5", HashAlgorithm.SHA256_CBOR, seed, NoneHash.ofDigest(digest));
    assertSame("0.4.1", HashAlgorithm.SHA256_CBOR_64BIT, seed, low);

    CborTupleWriter writer = new CborTupleWriter(0, ThirdElement.ABSENT);
    writer.writeText(seed.getBytes(StandardCharsets.US_ASCII));
    assertThat(CborTupleWriterTest.hex(writer)).isEqualTo(expected.path("cbor_hex").textValue());
  }

  private static void assertSame(
      String version, HashAlgorithm algorithm, String seed, NoneHash value) {
    ChunkedTokenDatabase.Builder builder =
        HashVectors.llama()
            .version(LmcacheVersion.parse(version))
            .hashAlgorithm(algorithm)
            .chunkSize(2);
    int[] tokens = {1, 2, 3, 4};
    List<TokenChunk> bySeed = builder.noneHash(NoneHash.ofSeed(seed)).build().processTokens(tokens);
    assertThat(bySeed).hasSize(2);
    assertThat(builder.noneHash(value).build().processTokens(tokens)).isEqualTo(bySeed);
    assertThat(builder.noneHash(NoneHash.zero()).build().processTokens(tokens))
        .doesNotContainAnyElementsOf(bySeed);
  }
}
