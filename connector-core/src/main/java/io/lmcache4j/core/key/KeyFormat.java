/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import static io.lmcache4j.core.key.KeySyntax.SEPARATOR;
import static io.lmcache4j.core.key.KeySyntax.TAG_VALUE;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The grammar of a key ({@code CacheEngineKey.to_string}, {@code lmcache/utils.py}), one per range
 * of LMCache versions.
 *
 * <pre>
 *   0.3.0 …          vllm@model@world_size@worker_id@hash[@layer]
 *   0.3.4 …          vllm@model@world_size@worker_id@hash[@layer][@name%value]…
 *   0.3.9.post2 …    vllm@model@world_size@worker_id@hash@dtype[@layer][@name%value]…
 *   0.3.13 …              model@world_size@worker_id@hash@dtype[@layer][@name%value]…
 * </pre>
 *
 * <p>Nothing is escaped, trimmed or padded. Texts are read from the right, because tags, layer and
 * dtype can be told by their looks, while a model name may contain {@code @}. Whatever is read is
 * written back letter for letter.
 *
 * <p>LMCache reads more than it writes; what it does not write is refused here, with the exception
 * of a model name with {@code @}, which it writes and cannot read.
 */
public enum KeyFormat {
  /** 0.3.0 to 0.3.2. The hash is 64 hexadecimal digits. No tags. */
  V0_3_0(true, 16, KeyDtypes.ABSENT, false),

  /** 0.3.3. The hash is a decimal number. No tags. */
  V0_3_3(true, 10, KeyDtypes.ABSENT, false),

  /** 0.3.4 and 0.3.5. The hash is a decimal number, which they read back as hexadecimal. */
  V0_3_4(true, 10, KeyDtypes.ABSENT, true),

  /** 0.3.6 to 0.3.9. The hash is a hexadecimal number with a sign, as ever since. */
  V0_3_6(true, 16, KeyDtypes.ABSENT, true),

  /**
   * 0.3.9.post2 to 0.3.12. The dtype is written; {@code fp8_e4m3} and {@code fp8_e5m2} stand for
   * two types each and are read as the {@code fnuz} ones, as LMCache does.
   */
  V0_3_9_POST2(true, 16, KeyDtypes.SHORT_FP8, true),

  /** 0.3.13 alone: today's grammar with the ambiguous fp8 names of {@link #V0_3_9_POST2}. */
  V0_3_13_SHORT_FP8(false, 16, KeyDtypes.SHORT_FP8, true),

  /** Today's grammar: 0.3.13 and newer, with the names that fp8 types have since 0.3.14. */
  V0_3_13(false, 16, KeyDtypes.CURRENT, true);

  /** Fields of a key before the dtype: model, world size, worker id, hash. */
  private static final int PARTS = 4;

  /** Digits of a SHA-256, the hash of {@link #V0_3_0}. */
  private static final int SHA256_DIGITS = 64;

  private static final LmcacheVersion DTYPE_ADDED = LmcacheVersion.parse("0.3.9.post2");

  private final String prefix;
  private final int hashRadix;
  private final KeyDtypes dtypes;
  private final boolean tagged;

  KeyFormat(boolean prefixed, int hashRadix, KeyDtypes dtypes, boolean tagged) {
    this.prefix = prefixed ? KeySyntax.OLD_PREFIX : "";
    this.hashRadix = hashRadix;
    this.dtypes = dtypes;
    this.tagged = tagged;
  }

  /**
   * Returns the grammar that a release writes.
   *
   * @param version the release
   * @return its grammar
   * @throws IllegalArgumentException if the release is older than {@link LmcacheVersion#OLDEST}
   */
  public static KeyFormat of(LmcacheVersion version) {
    if (version.isBefore(LmcacheVersion.OLDEST)) {
      throw new IllegalArgumentException(
          "no key grammar is known for LMCache " + version + ", oldest: " + LmcacheVersion.OLDEST);
    }
    if (!version.isAtLeast(0, 3, 3)) {
      return V0_3_0;
    }
    if (!version.isAtLeast(0, 3, 4)) {
      return V0_3_3;
    }
    if (!version.isAtLeast(0, 3, 6)) {
      return V0_3_4;
    }
    if (version.isBefore(DTYPE_ADDED)) {
      return V0_3_6;
    }
    if (!version.isAtLeast(0, 3, 13)) {
      return V0_3_9_POST2;
    }
    return version.isAtLeast(0, 3, 14) ? V0_3_13 : V0_3_13_SHORT_FP8;
  }

  /**
   * Writes a key in this grammar. A dtype that the grammar has no field for is left out, as LMCache
   * did.
   *
   * @param key the key
   * @return its text
   * @throws KeySyntaxException if the grammar cannot say it: a key without dtype from 0.3.9.post2
   *     on, tags before 0.3.4, a hash that is not decimal from 0.3.3 to 0.3.5
   */
  public String format(ChunkKey key) {
    if (dtypes != KeyDtypes.ABSENT && key.dtype() == DType.NONE) {
      throw refuse(key.toString(), KeySyntax.DTYPE, "none", "one of " + dtypes.known());
    }
    if (!tagged && !key.tags().isEmpty()) {
      throw refuse(key.toString(), "tags", key.tags().toString(), "none before LMCache 0.3.4");
    }
    if (!KeySyntax.isHash(key.chunkHash(), hashRadix)) {
      throw refuse(key.toString(), KeySyntax.CHUNK_HASH, key.chunkHash(), expectedHash());
    }
    return write(key);
  }

  /**
   * Reads a key that is in this grammar.
   *
   * <p>Up to 0.3.9 a layer cannot always be told from the end of a model name with {@code @}; then
   * the text is read as LMCache reads it, with a layer.
   *
   * @param text the key, without the suffix of a Redis key
   * @return a {@link CacheEngineKey} or a {@link LayerCacheEngineKey}
   * @throws KeySyntaxException if the text is not in this grammar
   */
  public ChunkKey parse(String text) {
    if (!text.startsWith(prefix)) {
      throw refuse(text, "prefix", text.substring(0, Math.min(5, text.length())), "\"vllm@\"");
    }
    String[] fields = text.substring(prefix.length()).split("@", -1);
    int end = tagged ? firstTag(fields) : fields.length;
    Map<String, String> tags = tags(text, fields, end);
    return dtypes == KeyDtypes.ABSENT
        ? withoutDtype(text, fields, end, tags)
        : withDtype(text, fields, end, tags);
  }

  /**
   * Finds the grammar of a key, for a reader that meets keys of several releases.
   *
   * <p>The dtype's place decides, not the leading {@code vllm@}, which a model called {@code vllm}
   * has as well. Keys without a dtype differ in their hash only and are told by its looks: 64
   * digits for {@link #V0_3_0}, a decimal number for {@link #V0_3_4}, else {@link #V0_3_6}. That is
   * a guess where a hexadecimal number happens to have no letter, and it is never {@link #V0_3_3},
   * whose texts are all texts of {@link #V0_3_4}; text and parts are the same either way. Likewise
   * {@code fp8_e5m2} without the prefix is taken for the name it is today.
   *
   * @param text the key, without the suffix of a Redis key
   * @return the grammar that should parse it
   * @throws KeySyntaxException if it is a key in none
   */
  public static KeyFormat detect(String text) {
    KeyFormat format = guess(text);
    format.parse(text);
    return format;
  }

  private static KeyFormat guess(String text) {
    String[] fields = text.split("@", -1);
    int end = firstTag(fields);
    int dtype = end - 1;
    if (dtype > 0 && KeySyntax.isLayerId(fields[dtype])) {
      dtype--;
    }
    String name = dtype < 0 ? "" : fields[dtype];
    boolean today = KeyDtypes.CURRENT.byName(name) != null;
    boolean prefixed = text.startsWith(KeySyntax.OLD_PREFIX);
    if (today || KeyDtypes.SHORT_FP8.byName(name) != null) {
      if (prefixed && dtype > PARTS) {
        return V0_3_9_POST2;
      }
      return today ? V0_3_13 : V0_3_13_SHORT_FP8;
    }
    return prefixed ? guessByHash(text) : V0_3_13;
  }

  private static KeyFormat guessByHash(String text) {
    String hash = V0_3_6.parse(text).chunkHash();
    if (hash.length() == SHA256_DIGITS && !hash.startsWith("-")) {
      return V0_3_0;
    }
    return KeySyntax.isHash(hash, 10) ? V0_3_4 : V0_3_6;
  }

  /**
   * Reads a key in whichever grammar it is, {@link #detect} and {@link #parse} in one.
   *
   * @param text the key, without the suffix of a Redis key
   * @return a {@link CacheEngineKey} or a {@link LayerCacheEngineKey}
   * @throws KeySyntaxException if it is a key in none
   */
  public static ChunkKey parseAny(String text) {
    return guess(text).parse(text);
  }

  /** What {@code toString} of a key is; unlike {@link #format} it has an answer for every key. */
  static String textOf(ChunkKey key) {
    return (key.dtype() == DType.NONE ? V0_3_6 : V0_3_13).write(key);
  }

  private String write(ChunkKey key) {
    StringBuilder out = new StringBuilder(prefix).append(key.modelName());
    out.append(SEPARATOR).append(key.worldSize()).append(SEPARATOR).append(key.workerId());
    out.append(SEPARATOR).append(key.chunkHash());
    if (dtypes != KeyDtypes.ABSENT) {
      out.append(SEPARATOR).append(dtypes.nameOf(key.dtype()));
    }
    if (key instanceof LayerCacheEngineKey layer) {
      out.append(SEPARATOR).append(layer.layerId());
    }
    key.tags().forEach((n, v) -> out.append(SEPARATOR).append(n).append(TAG_VALUE).append(v));
    return out.toString();
  }

  private ChunkKey withDtype(String text, String[] fields, int end, Map<String, String> tags) {
    if (end <= PARTS) {
      throw tooFew(text, fields.length);
    }
    String last = fields[end - 1];
    DType dtype = dtypes.byName(last);
    if (dtype != null) {
      return chunk(text, fields, end - 1, dtype, tags);
    }
    DType before = dtypes.byName(fields[end - 2]);
    if (before == null) {
      String found = KeySyntax.isLayerId(last) ? fields[end - 2] : last;
      throw refuse(text, KeySyntax.DTYPE, found, "one of " + dtypes.known());
    }
    if (!KeySyntax.isLayerId(last)) {
      throw refuse(text, "field after the dtype", last, "a layer id or a tag, name%value");
    }
    return new LayerCacheEngineKey(
        chunk(text, fields, end - 2, before, tags), Integer.parseInt(last));
  }

  private ChunkKey withoutDtype(String text, String[] fields, int end, Map<String, String> tags) {
    boolean layered =
        end > PARTS
            && KeySyntax.isLayerId(fields[end - 1])
            && (numbersFit(fields, end - 1) || !numbersFit(fields, end));
    return layered
        ? new LayerCacheEngineKey(
            chunk(text, fields, end - 1, DType.NONE, tags), Integer.parseInt(fields[end - 1]))
        : chunk(text, fields, end, DType.NONE, tags);
  }

  /** Whether the three fields before {@code end} are a world size, a worker id and a hash. */
  private boolean numbersFit(String[] fields, int end) {
    return KeySyntax.isHash(fields[end - 1], hashRadix)
        && KeySyntax.isInt(fields[end - 2])
        && KeySyntax.isInt(fields[end - 3]);
  }

  /** Reads model, world size, worker id and hash, the last of which is before {@code end}. */
  private CacheEngineKey chunk(
      String text, String[] fields, int end, DType dtype, Map<String, String> tags) {
    if (end < PARTS) {
      throw tooFew(text, fields.length);
    }
    String hash = fields[end - 1];
    if (!KeySyntax.isHash(hash, hashRadix)) {
      throw refuse(text, KeySyntax.CHUNK_HASH, hash, expectedHash());
    }
    int workerId = number(text, KeySyntax.WORKER_ID, fields[end - 2]);
    int worldSize = number(text, KeySyntax.WORLD_SIZE, fields[end - 3]);
    String model = String.join("@", Arrays.asList(fields).subList(0, end - 3));
    KeySyntax.check(() -> text, model, hash, tags);
    return new CacheEngineKey(model, worldSize, workerId, hash, dtype, tags);
  }

  private static int number(String text, String field, String value) {
    return KeySyntax.parseInt(value)
        .orElseThrow(() -> refuse(text, field, value, "a decimal int without padding"));
  }

  /** Returns where the tags at the end begin: no other field after the hash has a {@code %}. */
  private static int firstTag(String[] fields) {
    int end = fields.length;
    while (end > 0 && fields[end - 1].indexOf(TAG_VALUE) >= 0) {
      end--;
    }
    return end;
  }

  private static Map<String, String> tags(String text, String[] fields, int first) {
    Map<String, String> tags = new LinkedHashMap<>();
    for (int i = first; i < fields.length; i++) {
      int cut = fields[i].indexOf(TAG_VALUE);
      String name = fields[i].substring(0, cut);
      if (tags.put(name, fields[i].substring(cut + 1)) != null) {
        throw refuse(text, KeySyntax.TAG_NAME, name, "a name that occurs once");
      }
    }
    return tags;
  }

  private String expectedHash() {
    return hashRadix == 10 ? "decimal digits, after a \"-\" if negative" : KeySyntax.HEX_EXPECTED;
  }

  private KeySyntaxException tooFew(String text, int fields) {
    String dtype = dtypes == KeyDtypes.ABSENT ? "" : "@dtype";
    int prefixed = prefix.isEmpty() ? 0 : 1;
    return refuse(
        text,
        "number of fields",
        Integer.toString(prefixed + fields),
        prefix + "model@world_size@worker_id@hash" + dtype + " and what may follow");
  }

  private static KeySyntaxException refuse(
      String text, String field, String value, String expected) {
    return new KeySyntaxException(text, field, value, expected);
  }
}
