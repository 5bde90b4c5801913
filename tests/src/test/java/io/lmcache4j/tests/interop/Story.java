/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.TokenChunk;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A prompt's way from one side to the other: its tokens become keys on both sides, a producer
 * stores the chunks, a consumer looks the prefix up and reads it. Nothing but tokens is passed
 * between them.
 */
final class Story {

  private static final int DATABASE = 3;

  private final Release release;
  private final InteropRun run;
  private final PythonPeer peer;
  private final ReleaseTokens tokens;
  private final TwoSides sides;

  Story(Release release, InteropRun run, PythonPeer peer) {
    this.release = release;
    this.run = run;
    this.peer = peer;
    this.tokens = new ReleaseTokens(release, peer);
    this.sides = new TwoSides(release, peer, run.url(DATABASE), run.url(DATABASE));
  }

  /** Both ways, with a prompt each. */
  void tell(HashAlgorithm algorithm, NoneHash start, String vllm, String seed) {
    try (RawRedis raw = new RawRedis(run.url(DATABASE)).flush();
        RedisConnector java = sides.java(run.url(DATABASE), Path.AUTO)) {
      List<String> pythonKeys = keysByPython(1, algorithm, vllm, seed);
      List<Sample> javaKeys = samples(1, algorithm, start);
      String session = sides.session(run.url(DATABASE), javaKeys.get(0));
      produceByPython(pythonKeys, javaKeys, session);
      consumeByJava(javaKeys, java);

      List<Sample> others = samples(2, algorithm, start);
      assertThat(java.sync().batchedContains(keys(others))).isZero();
      produceByJava(others, java);
      consumeByPython(keysByPython(2, algorithm, vllm, seed), others, session);
      assertThat(raw.dump()).hasSize(2 * (javaKeys.size() + others.size()));
    }
  }

  /** The chunks' keys as our database has them, with something to store under each. */
  private List<Sample> samples(int prompt, HashAlgorithm algorithm, NoneHash start) {
    RemoteMetadata metadata =
        RemoteMetadata.of(
            MemoryFormat.KV_2LTD, Shape.of(2, 4, ReleaseTokens.CHUNK, 128), DType.BFLOAT16);
    List<Sample> samples = new ArrayList<>();
    for (TokenChunk chunk :
        tokens.java(algorithm, start, false).processTokens(ReleaseTokens.prompt(prompt))) {
      samples.add(
          new Sample(
              "chunk " + chunk.start(),
              Feature.STORY,
              release.name(),
              chunk.key(),
              metadata,
              prompt * 100 + samples.size()));
    }
    assertThat(samples).hasSize(ReleaseTokens.COUNT / ReleaseTokens.CHUNK);
    return samples;
  }

  private List<String> keysByPython(int prompt, HashAlgorithm algorithm, String vllm, String seed) {
    List<String> keys = new ArrayList<>();
    for (JsonNode chunk : tokens.python(prompt, algorithm, vllm, seed, false).get("chunks")) {
      keys.add(chunk.get(2).textValue());
    }
    return keys;
  }

  /** Python stores under the keys that it computed itself, read by our parser only to be sent. */
  private void produceByPython(List<String> keys, List<Sample> contents, String session) {
    List<JsonNode> items = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      items.add(Json.put(contents.get(i).request(), "key", pythonKey(keys.get(i))));
    }
    peer.call("batched_put", "session", session, "items", items);
  }

  private JsonNode pythonKey(String text) {
    return Sample.keyFields(KeyFormat.of(release.version()).parse(text));
  }

  private static List<CacheEngineKey> keys(List<Sample> samples) {
    return samples.stream().map(sample -> (CacheEngineKey) sample.key()).toList();
  }

  private static void consumeByJava(List<Sample> samples, RedisConnector java) {
    assertThat(java.sync().batchedContains(keys(samples))).isEqualTo(samples.size());
    List<GetOutcome> outcomes = java.sync().batchedGet(keys(samples));
    for (int i = 0; i < samples.size(); i++) {
      try (KvChunk chunk = ((GetOutcome.Hit) outcomes.get(i)).chunk()) {
        assertThat(Payloads.sha256(chunk.payload().nio())).isEqualTo(samples.get(i).sha256());
      }
    }
  }

  private static void produceByJava(List<Sample> samples, RedisConnector java) {
    try (DirectMemory memory = DirectMemory.create(4 << 20)) {
      List<KvChunk> chunks = samples.stream().map(sample -> sample.chunk(memory)).toList();
      assertThat(java.sync().batchedPut(chunks)).allMatch(o -> o instanceof PutOutcome.Stored);
      chunks.forEach(KvChunk::close);
    }
  }

  private void consumeByPython(List<String> keys, List<Sample> samples, String session) {
    List<JsonNode> requested = new ArrayList<>();
    for (String key : keys) {
      JsonNode fields = pythonKey(key);
      requested.add(fields);
      assertThat(peer.call("exists", "session", session, "key", fields).get("exists"))
          .isEqualTo(Json.node(true));
    }
    JsonNode got = peer.call("batched_get", "session", session, "keys", requested);
    for (int i = 0; i < samples.size(); i++) {
      TwoSides.assertSame(samples.get(i), got.get("results").get(i));
    }
  }
}
