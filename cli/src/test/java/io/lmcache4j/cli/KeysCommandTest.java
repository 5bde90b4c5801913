/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class KeysCommandTest {

  private static final String MODEL = "meta-llama/Llama-3.1-8B-Instruct";

  @TempDir private Path dir;

  private static JsonNode vectors(String name) throws IOException {
    try (InputStream in = KeysCommandTest.class.getResourceAsStream("/vectors/" + name)) {
      return new ObjectMapper().readTree(Objects.requireNonNull(in, name));
    }
  }

  private static String[] args(String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "keys",
                "--model",
                MODEL,
                "--world-size",
                "1",
                "--worker-id",
                "0",
                "--dtype",
                "bfloat16"));
    args.addAll(List.of(more));
    return args.toArray(String[]::new);
  }

  @TestFactory
  Stream<DynamicTest> printsTheKeysThatLmcacheMadeUnderAPythonHashSeed() throws IOException {
    JsonNode tokenSets = vectors("hash_builtin.json").get("token_sets");
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode seed : vectors("hash_builtin_vllm_none_hash.json").get("rows")) {
      String number = seed.get("PYTHONHASHSEED").asText();
      String python = seed.get("string_hash").asText().equals("siphash13") ? "3.11" : "3.10";
      for (JsonNode row : seed.get("rows")) {
        String tokens = tokenSets.get(row.get("tokens").asText()).toString();
        List<String> expected = new ArrayList<>();
        row.get("chunks").forEach(chunk -> expected.add(chunk.get("key").asText()));
        List<String> args =
            new ArrayList<>(List.of("--chunk-size", row.get("chunk_size").asText(), "-"));
        if (row.get("save_unfull_chunk").asBoolean()) {
          args.add("--save-unfull-chunk");
        }
        List<String> seeded = new ArrayList<>(args);
        seeded.addAll(List.of("--python-hash-seed", number, "--python", python));
        List<String> given = new ArrayList<>(args);
        given.addAll(List.of("--none-hash", seed.get("NONE_HASH").asText()));
        String name = "seed " + number + ", Python " + python + ", " + row.get("tokens").asText();
        tests.add(test(name + " by seed", tokens, seeded, expected));
        tests.add(test(name + " by value", tokens, given, expected));
      }
    }
    return tests.stream();
  }

  private static DynamicTest test(
      String name, String tokens, List<String> args, List<String> expected) {
    return DynamicTest.dynamicTest(
        name,
        () -> {
          Run run = Run.with(Map.of(), tokens, args(args.toArray(String[]::new)));
          assertThat(run.lines()).isEqualTo(expected);
          assertThat(run.exitCode()).isZero();
        });
  }

  @Test
  void withoutNoneHashItIsThatOfALmcacheWithoutVllm() throws IOException {
    Path file = Files.writeString(dir.resolve("tokens"), "0 1 2 3");
    Run plain = Run.of(args("--chunk-size", "4", file.toString()));
    Run zero = Run.of(args("--chunk-size", "4", "--none-hash", "0", file.toString()));
    assertThat(plain.lines()).hasSize(1).isEqualTo(zero.lines());
  }

  @Test
  void olderReleasesHaveTheirOwnGrammar() {
    Run run = Run.with(Map.of(), "1 2 3 4", args("--chunk-size", "4", "--lmcache", "0.3.3", "-"));
    assertThat(run.lines()).singleElement().asString().startsWith("vllm@" + MODEL + "@1@0@");
  }

  @ParameterizedTest
  @CsvSource({
    "--chunk-size 0 -, chunkSize is 0",
    "--chunk-size x -, --chunk-size",
    "--chunk-size 4 --python 2.7 -, 2.7",
    "--chunk-size 4 --python-hash-seed x -, PYTHONHASHSEED",
    "--chunk-size 4 --python-hash-seed random -, random",
    "--chunk-size 4 --none-hash 1 --python-hash-seed 2 -, mutually exclusive",
    "--chunk-size 4 --hash md5 -, md5",
    "--chunk-size 4 --hash sha256 -, sha256",
    "--chunk-size 4 --lmcache 0.3.4 -, 0.3.4",
    "--chunk-size 4 /nowhere/tokens, /nowhere/tokens",
    "--chunk-size 4, TOKENS-FILE",
  })
  void whatCannotBeReproducedIsRefusedWithItsReason(String options, String reason) {
    Run run = Run.with(Map.of(), "1 2 3 4", args(options.split(" ", -1)));
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.bytes()).isEmpty();
    assertThat(run.err()).contains(reason);
    assertThat(run.err().lines().count()).isLessThanOrEqualTo(2);
  }

  @Test
  void aBadTokenIsNamedWithItsPosition() {
    Run run = Run.with(Map.of(), "1 2 three 4", args("--chunk-size", "4", "-"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.bytes()).isEmpty();
    assertThat(run.err()).contains("standard input: token 3 is \"three\"");
  }
}
