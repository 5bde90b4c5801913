/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.PythonVersion;
import io.lmcache4j.core.token.TokenChunk;
import java.util.ArrayList;
import java.util.List;

/** Prompts to keys, by one release's own token database and by ours. */
final class ReleaseTokens {

  static final String MODEL = "meta-llama/Llama-3.1-8B-Instruct";
  static final int CHUNK = 16;
  static final int COUNT = 100;
  private static final int VOCABULARY = 128_256;

  private final Release release;
  private final PythonPeer peer;

  ReleaseTokens(Release release, PythonPeer peer) {
    this.release = release;
    this.peer = peer;
  }

  /** The prompt that the peer makes of the same seed. */
  static int[] prompt(int seed) {
    int[] tokens = new int[COUNT];
    for (int i = 0; i < COUNT; i++) {
      tokens[i] = (int) ((i * 7919L + seed) % VOCABULARY);
    }
    return tokens;
  }

  /**
   * Our database.
   *
   * @throws io.lmcache4j.core.token.UnreproducibleHashException if the release's hashes can't be
   *     computed
   */
  ChunkedTokenDatabase java(HashAlgorithm algorithm, NoneHash start, boolean unfull) {
    return ChunkedTokenDatabase.builder()
        .modelName(MODEL)
        .dtype(DType.BFLOAT16)
        .chunkSize(CHUNK)
        .saveUnfullChunk(unfull)
        .version(release.version())
        .pythonVersion(PythonVersion.parse(peer.info().get("python").textValue()))
        .hashAlgorithm(algorithm)
        .noneHash(start)
        .build();
  }

  /** What LMCache makes of the same. */
  JsonNode python(int seed, HashAlgorithm algorithm, String vllm, String hashSeed, boolean unfull) {
    JsonNode reply = peer.raw(request(seed, algorithm, vllm, hashSeed, unfull));
    assertThat(reply.get("ok").booleanValue()).as("%s", reply).isTrue();
    return reply;
  }

  private static ObjectNode request(
      int seed, HashAlgorithm algorithm, String vllm, String hashSeed, boolean unfull) {
    return Json.object(
        "op",
        "tokens_to_keys",
        "tokens",
        Json.object("count", COUNT, "seed", seed, "vocab", VOCABULARY),
        "chunk_size",
        CHUNK,
        "model",
        MODEL,
        "dtype",
        "bfloat16",
        "save_unfull_chunk",
        unfull,
        "algorithm",
        algorithm.configName(),
        "vllm",
        vllm,
        "hash_seed",
        hashSeed);
  }

  /** Compares both databases over some prompts. */
  void agree(HashAlgorithm algorithm, NoneHash start, String vllm, String hashSeed) {
    for (boolean unfull : new boolean[] {false, true}) {
      ChunkedTokenDatabase database = java(algorithm, start, unfull);
      for (int seed : new int[] {0, 1, 100_000}) {
        JsonNode python = python(seed, algorithm, vllm, hashSeed, unfull);
        assertThat(python.get("hash_function").textValue()).isEqualTo(functionOf(algorithm));
        List<List<Object>> chunks = new ArrayList<>();
        for (TokenChunk chunk : database.processTokens(prompt(seed))) {
          chunks.add(List.of(chunk.start(), chunk.end(), text(chunk.key())));
        }
        assertThat(python.get("chunks")).isEqualTo(Json.node(chunks));
      }
    }
  }

  private String functionOf(HashAlgorithm algorithm) {
    if (!release.isAtLeast("0.3.3")) {
      return "None"; // there is one function, and no choice
    }
    return algorithm == HashAlgorithm.BUILTIN ? "hash" : algorithm.configName();
  }

  /** Whether the release hashes with something else, or not at all, when asked for this. */
  boolean isUnknownToPython(HashAlgorithm algorithm) {
    JsonNode reply = peer.raw(request(0, algorithm, "current", "0", false));
    return !reply.get("ok").booleanValue()
        || !reply.get("hash_function").textValue().equals(algorithm.configName());
  }

  private String text(CacheEngineKey key) {
    return KeyFormat.of(release.version()).format(key);
  }
}
