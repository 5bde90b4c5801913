/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.TokenChunk;
import io.lmcache4j.tests.interop.Json;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** ChunkedTokenDatabase.process_tokens against ours. */
final class TokenHashing implements Kind {

  private static final String CBOR = "sha256_cbor";
  private static final BigInteger UNSIGNED = BigInteger.ONE.shiftLeft(64);

  @Override
  public ObjectNode generate(Source source) {
    boolean cbor = source.oneIn(2);
    int count = source.between(0, 40);
    boolean wild = source.oneIn(3);
    List<Long> tokens =
        source.list(count, () -> wild ? source.edge() : (long) source.below(128_256));
    int chunk = source.pick(1, 2, 4, 16, source.between(1, 20));
    boolean mla = source.oneIn(4);
    ObjectNode input =
        Json.object(
            "tokens",
            tokens,
            "chunk_size",
            chunk,
            "save_unfull_chunk",
            source.oneIn(2),
            "use_mla",
            mla,
            "world_size",
            source.pick(1, 2, 8),
            "worker_id",
            source.pick(0, 1),
            "model",
            source.pick("m", "meta-llama/Llama-3.3-70B-Instruct", "größe"),
            "dtype",
            source.pick("bfloat16", "uint8"),
            "algorithm",
            cbor ? CBOR : "builtin",
            "vllm",
            cbor ? "current" : "none");
    if (cbor && source.oneIn(2)) {
      Json.put(input, "hash_seed", source.pick("0", "42", "4294967295"));
    } else {
      BigInteger none = BigInteger.valueOf(source.edge());
      Json.put(input, "none_hash", source.oneIn(2) ? none.mod(UNSIGNED) : none);
    }
    if (source.oneIn(3)) {
      int masked = source.oneIn(4) ? source.between(0, count) : count / chunk * chunk;
      Json.put(input, "mask_false", Math.min(count, masked));
    }
    if (source.oneIn(4)) {
      Json.put(
          input,
          "tags",
          List.of(List.of("user", source.text(3, "a", "%").replace("@", "")), List.of("a", "1")));
    }
    return input;
  }

  @Override
  public List<ObjectNode> requests(ObjectNode input) {
    return List.of(Json.put(input.deepCopy(), "op", "tokens_to_keys"));
  }

  @Override
  public Verdict judge(ObjectNode input, List<JsonNode> replies) {
    JsonNode python = replies.get(0);
    Object java = process(input);
    if (java instanceof JsonNode chunks) {
      return chunks.equals(python.get("chunks"))
          ? Verdict.equal()
          : Verdict.failed("other chunks", python, chunks);
    }
    return python.get("ok").booleanValue()
        ? Verdict.failed("refused here only", python, java)
        : Verdict.refused();
  }

  private static Object process(ObjectNode input) {
    long[] tokens = new long[input.get("tokens").size()];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = input.get("tokens").get(i).longValue();
    }
    try {
      List<List<Object>> chunks = new ArrayList<>();
      for (TokenChunk chunk :
          database(input).processTokens(tokens, input.path("mask_false").asInt())) {
        chunks.add(List.of(chunk.start(), chunk.end(), chunk.key().toString()));
      }
      return Json.node(chunks);
    } catch (LmcacheException e) {
      return e;
    }
  }

  private static ChunkedTokenDatabase database(ObjectNode input) {
    boolean cbor = input.get("algorithm").textValue().equals(CBOR);
    return ChunkedTokenDatabase.builder()
        .modelName(input.get("model").textValue())
        .dtype(DType.parse(input.get("dtype").textValue()))
        .worldSize(input.get("world_size").intValue())
        .workerId(input.get("worker_id").intValue())
        .useMla(input.get("use_mla").booleanValue())
        .chunkSize(input.get("chunk_size").intValue())
        .saveUnfullChunk(input.get("save_unfull_chunk").booleanValue())
        .hashAlgorithm(cbor ? HashAlgorithm.SHA256_CBOR : HashAlgorithm.BUILTIN)
        .noneHash(noneHash(input.get("none_hash"), input.path("hash_seed").asText()))
        .tags(tags(input))
        .build();
  }

  private static NoneHash noneHash(@Nullable JsonNode given, String seed) {
    return given == null ? NoneHash.ofSeed(seed) : NoneHash.of(given.bigIntegerValue());
  }

  private static Map<String, String> tags(ObjectNode input) {
    Map<String, String> tags = new LinkedHashMap<>();
    for (JsonNode tag : input.path("tags")) {
      tags.put(tag.get(0).textValue(), tag.get(1).textValue());
    }
    return tags;
  }
}
