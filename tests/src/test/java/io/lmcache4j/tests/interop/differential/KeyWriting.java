/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.tests.interop.Json;
import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** CacheEngineKey.to_string against KeyFormat.format, and back. */
final class KeyWriting implements Kind {

  private static final BigInteger UNSIGNED = BigInteger.ONE.shiftLeft(64);

  @Override
  public ObjectNode generate(Source source) {
    BigInteger hash = BigInteger.valueOf(source.edge());
    if (source.oneIn(2)) {
      hash = hash.mod(UNSIGNED);
    }
    List<List<String>> tags =
        source.list(
            source.pick(0, 0, 0, 1, 2, 3),
            () ->
                List.of(
                    source.text(5, "@", "%", "tag", "é"), source.text(5, "@", "%", "v", "\ud83d")));
    return Json.object(
        "model",
        source.pick(
            "meta-llama/Llama-3.1-8B",
            "m",
            source.text(8, "@", "vllm@", "/", "ü", "\ud83d\ude00", "\udc00")),
        "world_size",
        source.oneIn(4) ? (int) source.edge() : source.between(1, 16),
        "worker_id",
        source.oneIn(4) ? (int) source.edge() : source.between(0, 15),
        "hash",
        hash,
        "dtype",
        Dtypes.any(source),
        "layer_id",
        source.oneIn(3)
            ? (Object) (source.oneIn(8) ? -source.below(3) : source.between(0, 80))
            : null,
        "tags",
        tags.isEmpty() ? null : tags);
  }

  @Override
  public List<ObjectNode> requests(ObjectNode input) {
    return List.of(Json.object("op", "key_format", "key", input));
  }

  @Override
  public Verdict judge(ObjectNode input, List<JsonNode> replies) {
    JsonNode python = replies.get(0);
    boolean accepted = python.get("ok").booleanValue();
    Object java = write(input);
    if (java instanceof ChunkKey key) {
      String text = KeyFormat.V0_3_13.format(key);
      if (!accepted || !text.equals(python.get("key").textValue())) {
        return Verdict.failed("another key", python, text);
      }
      ChunkKey back = KeyFormat.V0_3_13.parse(text);
      return back.equals(key) ? Verdict.equal() : Verdict.failed("read back otherwise", key, back);
    }
    if (!accepted) {
      return Verdict.refused();
    }
    Difference listed = listed(input);
    return listed == null
        ? Verdict.failed("refused here only", python, java)
        : Verdict.different(listed);
  }

  /** Returns the key, or what was thrown, or nothing if lmcache4j has no such dtype. */
  private static @Nullable Object write(ObjectNode input) {
    DType dtype = Dtypes.of(input.path("dtype"));
    if (dtype == null) {
      return null;
    }
    try {
      CacheEngineKey key =
          new CacheEngineKey(
              input.get("model").textValue(),
              input.get("world_size").intValue(),
              input.get("worker_id").intValue(),
              input.get("hash").bigIntegerValue().toString(16),
              dtype,
              tags(input));
      JsonNode layer = input.path("layer_id");
      ChunkKey written = layer.isNumber() ? new LayerCacheEngineKey(key, layer.intValue()) : key;
      KeyFormat.V0_3_13.format(written);
      return written;
    } catch (LmcacheException e) {
      return e;
    }
  }

  private static Map<String, String> tags(ObjectNode input) {
    Map<String, String> tags = new LinkedHashMap<>();
    for (JsonNode tag : input.path("tags")) {
      tags.put(tag.get(0).textValue(), tag.get(1).textValue());
    }
    return tags;
  }

  private static @Nullable Difference listed(ObjectNode input) {
    String model = input.get("model").textValue();
    if (model.isEmpty()) {
      return Difference.EMPTY_MODEL;
    }
    if (model.startsWith("vllm@")) {
      return Difference.OLD_PREFIX;
    }
    if (Surrogates.areUnpaired(model)) {
      return Difference.UNPAIRED_SURROGATE;
    }
    if (input.path("layer_id").asInt() < 0) {
      return Difference.NEGATIVE_LAYER;
    }
    for (Map.Entry<String, String> tag : tags(input).entrySet()) {
      if (tag.getKey().matches("(?s).*[@%].*") || tag.getValue().contains("@")) {
        return Difference.SEPARATOR_IN_TAG;
      }
      if (Surrogates.areUnpaired(tag.getKey() + " " + tag.getValue())) {
        return Difference.UNPAIRED_SURROGATE;
      }
    }
    return null;
  }
}
