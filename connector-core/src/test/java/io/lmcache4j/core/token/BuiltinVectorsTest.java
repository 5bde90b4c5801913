/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.VectorFile;
import io.lmcache4j.core.token.HashVectors.KeyGrammar;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What real LMCache 0.5.6 made of prompts with Python's own hash. */
class BuiltinVectorsTest {

  private final JsonNode vectors = VectorFile.read("hash_builtin");
  private final long[] seq = HashVectors.tokens("seq_0_39");

  @TestFactory
  Stream<DynamicTest> hashesAsLmcacheWithoutVllm() {
    List<JsonNode> rows = HashVectors.list(vectors.path("rows"));
    assertThat(rows).hasSize(27);
    assertThat(rows.stream().mapToInt(r -> r.path("chunks").size()).sum()).isEqualTo(585);
    return rows.stream().map(row -> test(row, NoneHash.zero(), ""));
  }

  @TestFactory
  Stream<DynamicTest> hashesAsLmcacheWithVllmForEachSeedAndSipHash() {
    List<JsonNode> starts =
        HashVectors.list(VectorFile.read("hash_builtin_vllm_none_hash").path("rows"));
    assertThat(starts).hasSize(8);
    assertThat(starts.stream().mapToInt(s -> s.path("rows").size()).sum()).isEqualTo(48);
    return starts.stream()
        .flatMap(
            start ->
                HashVectors.list(start.path("rows")).stream()
                    .map(
                        row ->
                            test(
                                row,
                                NoneHash.ofSeed(start.path("PYTHONHASHSEED").textValue()),
                                start.path("string_hash").textValue())));
  }

  @TestFactory
  Stream<DynamicTest> hashesFromTheNoneHashThatVllmComputes() {
    List<JsonNode> starts =
        HashVectors.list(VectorFile.read("hash_builtin_vllm_none_hash").path("rows"));
    return starts.stream()
        .map(
            start ->
                test(
                    start.path("rows").get(0),
                    NoneHash.of(start.path("NONE_HASH").longValue()),
                    "explicit"));
  }

  private static DynamicTest test(JsonNode row, NoneHash noneHash, String stringHash) {
    String name =
        row.path("tokens").textValue()
            + " by "
            + row.path("chunk_size").intValue()
            + " unfull "
            + row.path("save_unfull_chunk").booleanValue()
            + " "
            + noneHash
            + " "
            + stringHash;
    return DynamicTest.dynamicTest(
        name,
        () -> {
          ChunkedTokenDatabase.Builder builder =
              HashVectors.llama()
                  .chunkSize(row.path("chunk_size").intValue())
                  .saveUnfullChunk(row.path("save_unfull_chunk").booleanValue())
                  .noneHash(noneHash);
          if (stringHash.startsWith("siphash")) {
            builder.pythonVersion(
                PythonVersion.parse(stringHash.equals("siphash13") ? "3.11" : "3.10"));
          }
          ChunkedTokenDatabase database = builder.build();
          long[] tokens = HashVectors.tokens(row.path("tokens").textValue());

          HashVectors.assertChunks(
              database, tokens, KeyGrammar.CURRENT, HashVectors.expectedLines(row.path("chunks")));
          if (HashVectors.fitsInt(tokens)) {
            long[] hashes = new long[row.path("chunks").size()];
            assertThat(database.hashTokens(HashVectors.ints(tokens), hashes))
                .isEqualTo(hashes.length);
            assertThat(hashes).containsExactly(chunkHashes(row));
          }
        });
  }

  private static long[] chunkHashes(JsonNode row) {
    return StreamSupport.stream(row.path("chunks").spliterator(), false)
        .mapToLong(c -> c.path("chunk_hash").longValue())
        .toArray();
  }

  private static ChunkedTokenDatabase.Builder byFour() {
    return HashVectors.llama().chunkSize(4).noneHash(NoneHash.zero());
  }

  @Test
  void masksAPrefixOfWholeChunks() {
    List<TokenChunk> chunks = byFour().build().processTokens(seq, 8);

    assertThat(HashVectors.lines(chunks, KeyGrammar.CURRENT))
        .hasSize(8)
        .isEqualTo(HashVectors.expectedLines(vectors.path("mask_first_8_false")));
  }

  @Test
  void refusesAMaskThatCutsAChunk() {
    assertThat(vectors.path("mask_not_chunk_multiple").path("exception").textValue())
        .isEqualTo("ValueError");

    assertThatThrownBy(() -> byFour().build().processTokens(seq, 6))
        .isInstanceOf(MisalignedMaskException.class)
        .hasMessage("the mask hides 6 tokens, which is not a multiple of the chunk size 4");
  }

  @Test
  void putsTagsIntoTheKey() {
    assertFirstKey(byFour().tags(Map.of("user", "alice")).build(), "tags");
    assertFirstKey(byFour().build().withTags(Map.of("user", "alice")), "tags");
  }

  @Test
  void makesKeysOfHashesThatAreKnown() {
    List<TokenChunk> chunks =
        byFour().build().keysFromHashes(new long[] {255, -255}, new int[] {4, 4});

    assertThat(HashVectors.lines(chunks, KeyGrammar.CURRENT))
        .hasSize(2)
        .isEqualTo(HashVectors.expectedLines(vectors.path("hashes_and_offsets")));
  }

  @Test
  void hidesTheWorldSizeOfMlaModelsAndKeepsTheRank() {
    ChunkedTokenDatabase.Builder rank3 = byFour().worldSize(8).workerId(3);

    assertFirstKey(rank3.build(), "gqa_tp8_rank3");
    assertFirstKey(rank3.useMla(true).build(), "mla_tp8_rank3_default");
    assertFirstKey(
        rank3.saveOnlyFirstRank(false).build(), "mla_tp8_rank3_save_only_first_rank_false");
  }

  @Test
  void keepsTheWorldSizeOfMlaModelsBefore0310() {
    ChunkedTokenDatabase.Builder rank3 =
        byFour().worldSize(8).workerId(3).useMla(true).pythonVersion(new PythonVersion(3, 12));

    assertThat(worldSize(rank3, "0.3.9.post2")).isEqualTo(8);
    assertThat(worldSize(rank3, "0.3.10")).isEqualTo(1);
  }

  private int worldSize(ChunkedTokenDatabase.Builder builder, String version) {
    return builder
        .version(LmcacheVersion.parse(version))
        .build()
        .processTokens(seq)
        .get(0)
        .key()
        .worldSize();
  }

  @Test
  void namesTheDtypeOfAnFp8Cache() {
    assertFirstKey(byFour().dtype(DType.UINT8).build(), "fp8_kv_uint8");
  }

  private void assertFirstKey(ChunkedTokenDatabase database, String vector) {
    assertThat(vectors.path(vector)).hasSize(1);
    assertThat(KeyGrammar.CURRENT.print(database.processTokens(seq).get(0).key()))
        .isEqualTo(vectors.path(vector).get(0).textValue());
  }
}
