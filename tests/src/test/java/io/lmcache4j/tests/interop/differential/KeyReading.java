/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.tests.interop.Json;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** parse_cache_key against ChunkKey.parse. */
final class KeyReading implements Kind {

  private static final List<DType> KEYED =
      Arrays.stream(DType.values()).filter(dtype -> dtype != DType.NONE).toList();
  private static final Pattern RANK = Pattern.compile("0|-?[1-9][0-9]*");
  private static final Pattern HASH = Pattern.compile("-?[0-9a-f]+");
  private static final Pattern LAYER = Pattern.compile("0|[1-9][0-9]*");
  private static final BigInteger INT_MAX = BigInteger.valueOf(Integer.MAX_VALUE);
  private static final BigInteger INT_MIN = BigInteger.valueOf(Integer.MIN_VALUE);
  private static final int WORLD = 1;
  private static final int WORKER = 2;
  private static final int HASH_FIELD = 3;
  private static final int LAYER_FIELD = 5;

  @Override
  public ObjectNode generate(Source source) {
    List<String> fields = new ArrayList<>();
    fields.add(
        source.pick("m", "org/model", "vllm", source.text(4, "ü", " ", "%", "\ud83d\ude00")));
    fields.add(number(source, source.between(0, 16)));
    fields.add(number(source, source.between(0, 16)));
    String hash = BigInteger.valueOf(source.edge()).toString(16);
    fields.add(source.oneIn(8) ? spelt(source, hash) : hash);
    fields.add(
        source.oneIn(12)
            ? source.text(2, "half", " ", "fp8_e4m3", "fp8_e5m2", "HALF")
            : source.pick(KEYED).keyName());
    if (source.oneIn(3)) {
      fields.add(number(source, source.between(0, 80)));
    }
    for (int i = source.pick(0, 0, 0, 1, 2); i > 0; i--) {
      fields.add(source.text(3, "a", "é", "\udc00") + "%" + source.text(3, "%", "b", "\ud83d"));
    }
    if (source.oneIn(10)) {
      fields.add(source.below(fields.size() + 1), source.text(2, "a", "1", "half", "a%b"));
    }
    if (source.oneIn(15)) {
      fields.remove(source.below(fields.size()));
    }
    String text = String.join("@", fields);
    if (source.oneIn(15)) {
      int at = source.below(text.length() + 1);
      text =
          text.substring(0, at) + source.pick("@", "%", " ", "0", "\t", "-") + text.substring(at);
    }
    return Json.object("key", source.oneIn(30) ? " " + text + " " : text);
  }

  private static String number(Source source, int plain) {
    if (source.oneIn(15)) {
      return Long.toString(source.edge());
    }
    String text = Integer.toString(plain);
    return source.oneIn(15) ? spelt(source, text) : text;
  }

  /** Another spelling of a number, most of which Python's int() takes. */
  private static String spelt(Source source, String number) {
    return switch (source.below(9)) {
      case 0 -> "+" + number;
      case 1 -> "0x" + number;
      case 2 -> number.replaceFirst("(.)(.)", "$1_$2");
      case 3 -> " " + number;
      case 4 -> number + "\n";
      case 5 -> "00" + number;
      case 6 -> number.replace('a', 'A').replace('f', 'F');
      case 7 -> number.replace('1', '١').replace('3', '３');
      default -> "-" + number;
    };
  }

  @Override
  public List<ObjectNode> requests(ObjectNode input) {
    return List.of(Json.put(input.deepCopy(), "op", "key_parse"));
  }

  @Override
  public Verdict judge(ObjectNode input, List<JsonNode> replies) {
    JsonNode python = replies.get(0);
    boolean accepted = python.get("ok").booleanValue();
    String text = input.get("key").textValue();
    Object java = read(text);
    if (java instanceof ChunkKey key) {
      if (!key.toString().equals(text)) {
        return Verdict.failed("not written back letter for letter", text, key);
      }
      return accepted ? compare(python, key) : readHereOnly(python, key);
    }
    if (!accepted) {
      return Verdict.refused();
    }
    Difference listed = listed(text.split("@", -1), text);
    return listed == null
        ? Verdict.failed("refused here only", python, java)
        : Verdict.different(listed);
  }

  private static Object read(String text) {
    try {
      return ChunkKey.parse(text);
    } catch (LmcacheException e) {
      return e;
    }
  }

  private static Verdict readHereOnly(JsonNode python, ChunkKey key) {
    return key.modelName().contains("@")
        ? Verdict.different(Difference.SEPARATOR_IN_MODEL)
        : Verdict.failed("read here only", python, key);
  }

  private static Verdict compare(JsonNode python, ChunkKey key) {
    List<List<String>> tags = new ArrayList<>();
    key.tags().forEach((name, value) -> tags.add(List.of(name, value)));
    JsonNode pythonTags = python.get("tags");
    boolean same =
        key.modelName().equals(python.get("model").textValue())
            && key.worldSize() == python.get("world_size").longValue()
            && key.workerId() == python.get("worker_id").longValue()
            && key.dtype() == Dtypes.of(python.get("dtype"))
            && Json.node(key instanceof LayerCacheEngineKey layer ? layer.layerId() : null)
                .equals(python.get("layer_id"))
            && (tags.isEmpty() ? pythonTags.isEmpty() : Json.node(tags).equals(pythonTags))
            && new BigInteger(key.chunkHash(), 16)
                .equals(new BigInteger(python.get("hash").textValue(), 16));
    if (!same) {
      return Verdict.failed("another key", python, key);
    }
    if (key.toString().equals(python.get("string").textValue())) {
      return Verdict.equal();
    }
    return withoutZeros(key.chunkHash()).equals(python.get("hash").textValue())
        ? Verdict.different(Difference.HASH_KEPT)
        : Verdict.failed("a hash that LMCache never writes", python, key);
  }

  private static String withoutZeros(String hash) {
    String digits = hash.replaceFirst("^(-?)0+(?=.)", "$1");
    return digits.equals("-0") ? "0" : digits;
  }

  /** Of a text that LMCache has read: so there are five fields, and tags behind them. */
  private static @Nullable Difference listed(String[] fields, String text) {
    if (fields[0].isEmpty()) {
      return Difference.EMPTY_MODEL;
    }
    boolean layered = fields.length > LAYER_FIELD && fields[LAYER_FIELD].indexOf('%') < 0;
    if (!RANK.matcher(fields[WORLD]).matches()
        || !RANK.matcher(fields[WORKER]).matches()
        || !HASH.matcher(fields[HASH_FIELD]).matches()
        || (layered && !LAYER.matcher(fields[LAYER_FIELD]).matches())) {
      return Difference.SECOND_SPELLING;
    }
    if (isBeyondInt(fields[WORLD])
        || isBeyondInt(fields[WORKER])
        || (layered && isBeyondInt(fields[LAYER_FIELD]))) {
      return Difference.BEYOND_INT;
    }
    Set<String> names = new HashSet<>();
    for (int i = layered ? LAYER_FIELD + 1 : LAYER_FIELD; i < fields.length; i++) {
      if (!names.add(fields[i].substring(0, Math.max(0, fields[i].indexOf('%'))))) {
        return Difference.REPEATED_TAG;
      }
    }
    return Surrogates.areUnpaired(text) ? Difference.UNPAIRED_SURROGATE : null;
  }

  private static boolean isBeyondInt(String number) {
    BigInteger value = new BigInteger(number);
    return value.compareTo(INT_MAX) > 0 || value.compareTo(INT_MIN) < 0;
  }
}
