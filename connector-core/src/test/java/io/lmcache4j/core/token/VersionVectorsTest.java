/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.VectorFile;
import io.lmcache4j.core.token.HashVectors.KeyGrammar;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What seven releases of LMCache made of the same prompts. */
class VersionVectorsTest {

  private final JsonNode vectors = VectorFile.read("hash_by_version");

  @TestFactory
  Stream<DynamicTest> hashesAsEachRelease() {
    Map<String, Integer> rows =
        Map.of(
            "0.3.0 (sha256 hex chain)", 9,
            "0.3.1 (sha256 hex chain)", 9,
            "0.3.3", 12,
            "0.4.1", 12,
            "0.4.3", 12,
            "0.4.6", 12,
            "0.5.0", 12);
    assertThat(vectors.path("versions")).hasSize(rows.size());
    return rows.entrySet().stream().flatMap(e -> release(e.getKey(), e.getValue()));
  }

  private Stream<DynamicTest> release(String name, int count) {
    LmcacheVersion version = LmcacheVersion.parse(name.split(" ", 2)[0]);
    List<JsonNode> rows = HashVectors.list(vectors.path("versions").path(name).path("rows"));
    assertThat(rows).hasSize(count);
    return rows.stream()
        .map(
            row ->
                DynamicTest.dynamicTest(
                    version
                        + " "
                        + row.path("tokens").textValue()
                        + " by "
                        + row.path("chunk_size").intValue()
                        + " unfull "
                        + row.path("save_unfull_chunk").asText("by default"),
                    () -> assertRow(version, row)));
  }

  private static void assertRow(LmcacheVersion version, JsonNode row) {
    ChunkedTokenDatabase.Builder builder =
        HashVectors.llama().version(version).chunkSize(row.path("chunk_size").intValue());
    if (version.isAtLeast(0, 3, 3)) {
      builder
          .noneHash(NoneHash.zero())
          .saveUnfullChunk(row.path("save_unfull_chunk").booleanValue());
    }
    HashVectors.assertChunks(
        builder.build(),
        HashVectors.tokens(row.path("tokens").textValue()),
        grammar(version),
        HashVectors.expectedLines(row.path("chunks")));
  }

  private static KeyGrammar grammar(LmcacheVersion version) {
    return version.isAtLeast(0, 4, 1) ? KeyGrammar.CURRENT : KeyGrammar.VLLM_PREFIX;
  }

  @TestFactory
  Stream<DynamicTest> masksAPrefixAsEachRelease() {
    return Stream.of("0.3.3", "0.4.1", "0.4.3", "0.4.6", "0.5.0")
        .map(
            name ->
                DynamicTest.dynamicTest(
                    name,
                    () -> {
                      LmcacheVersion version = LmcacheVersion.parse(name);
                      List<TokenChunk> chunks =
                          HashVectors.llama()
                              .version(version)
                              .chunkSize(4)
                              .noneHash(NoneHash.zero())
                              .build()
                              .processTokens(HashVectors.tokens("seq_0_39"), 8);
                      assertThat(HashVectors.lines(chunks, grammar(version)))
                          .hasSize(8)
                          .isEqualTo(
                              HashVectors.expectedLines(
                                  vectors.path("versions").path(name).path("mask_first_8_false")));
                    }));
  }

  @TestFactory
  Stream<DynamicTest> hashesNoneAsPython312() {
    List<JsonNode> rows =
        HashVectors.list(
            vectors
                .path("0.3.4-0.3.15 builtin")
                .path("python>=3.12 NONE_HASH=0 (restated, checked against python 3.12)"));
    assertThat(rows).hasSize(2);
    return rows.stream()
        .map(
            row ->
                DynamicTest.dynamicTest(
                    row.path("tokens").textValue(),
                    () -> {
                      ChunkedTokenDatabase.Builder builder =
                          HashVectors.llama()
                              .pythonVersion(new PythonVersion(3, 12))
                              .chunkSize(row.path("chunk_size").intValue())
                              .saveUnfullChunk(false)
                              .noneHash(NoneHash.zero());
                      long[] tokens = HashVectors.tokens(row.path("tokens").textValue());
                      assertThat(hashes(builder, "0.3.7", tokens))
                          .isEqualTo(
                              HashVectors.list(row.path("key_hash")).stream()
                                  .map(JsonNode::textValue)
                                  .toList());
                      assertThat(hashes(builder, "0.3.4", tokens))
                          .isEqualTo(
                              HashVectors.list(row.path("hashes")).stream()
                                  .map(JsonNode::asText)
                                  .toList());
                    }));
  }

  private static List<String> hashes(
      ChunkedTokenDatabase.Builder builder, String version, long[] tokens) {
    return HashVectors.chunkHashes(
        builder.version(LmcacheVersion.parse(version)).build().processTokens(tokens));
  }

  @Test
  void refusesToHashNoneBeforePython312() {
    JsonNode runs = vectors.path("0.3.4-0.3.15 builtin").path("two_runs_0.3.7_python3.11");
    assertThat(runs).hasSize(2);
    assertThat(runs.get(0)).isNotEqualTo(runs.get(1));

    for (String version : List.of("0.3.4", "0.3.7", "0.3.9.post2", "0.3.15")) {
      assertThatThrownBy(
              () ->
                  HashVectors.llama()
                      .version(LmcacheVersion.parse(version))
                      .pythonVersion(new PythonVersion(3, 11))
                      .noneHash(NoneHash.zero())
                      .build())
          .isInstanceOf(UnreproducibleHashException.class)
          .hasMessageContaining("LMCache " + version + " hashes None")
          .hasMessageContaining("Python 3.11");
    }
  }
}
