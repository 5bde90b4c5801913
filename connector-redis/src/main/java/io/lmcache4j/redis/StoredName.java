/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.key.KeySyntaxException;
import io.lmcache4j.core.key.ObjectKey;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What a Redis key is to LMCache, in whichever layout and key grammar it was written: a part of a
 * chunk.
 *
 * @param prefix what the examined connector puts before every key; empty as a rule
 * @param form the layout
 * @param part which part of the chunk it is
 * @param grammar the grammar of the chunk's key, or null if it is an object's of the multi-process
 *     mode
 * @param key the chunk's key
 * @param isAmbiguous whether the same Redis key might be the whole chunk of another key, whose last
 *     tag or salt ends in the word that is the suffix of a part, e.g. {@code …@use%metadata}
 */
public record StoredName(
    String prefix,
    Form form,
    Part part,
    @Nullable KeyFormat grammar,
    ChunkKey key,
    boolean isAmbiguous) {

  /** The layouts. */
  public enum Form {
    /** {@code <key>metadata} and {@code <key>kv_bytes}. */
    PAIR("", ""),
    /** {@code <key>:metadata} and {@code <key>:kv_bytes}: valkey:// of LMCache 0.4.2 and older. */
    VALKEY_PAIR("", ":"),
    /** The same in a cluster: {@code {<key>}:metadata} and {@code {<key>}:kv_bytes}. */
    VALKEY_CLUSTER_PAIR("{", "}:"),
    /** The payload under {@code <key>}: resp://, valkey:// since 0.4.3, the multi-process mode. */
    SINGLE("", "");

    private final String before;
    private final String after;

    Form(String before, String after) {
      this.before = before;
      this.after = after;
    }

    /** The layout that readers of a URL know. */
    static Form of(RemoteUrl url) {
      return switch (url.scheme()) {
        case REDIS, REDISS, UNIX, REDIS_CLUSTER, REDIS_SENTINEL -> PAIR;
        case RESP -> SINGLE;
        case VALKEY -> {
          if (!url.isValkeyPair()) {
            yield SINGLE;
          }
          yield url.isValkeyCluster() ? VALKEY_CLUSTER_PAIR : VALKEY_PAIR;
        }
      };
    }

    /** How its Redis keys are named. */
    KeyNames names(LmcacheVersion version, String prefix) {
      return new KeyNames(version, prefix + before, after);
    }

    /**
     * Whether a chunk has metadata beside its payload.
     *
     * @return false for {@link #SINGLE}
     */
    public boolean isPair() {
      return this != SINGLE;
    }
  }

  /** The parts of a chunk. */
  public enum Part {
    /** The header. */
    METADATA(PairLayout.METADATA),
    /** The tensors' bytes of a layout of two keys. */
    PAYLOAD(PairLayout.PAYLOAD),
    /** All there is, in a layout of one key. */
    WHOLE("");

    private final String suffix;

    Part(String suffix) {
      this.suffix = suffix;
    }
  }

  /** No key that LMCache writes comes near it; what is longer is not looked at. */
  private static final int MAX_LENGTH = 4096;

  /**
   * Reads a Redis key.
   *
   * @param prefix what stands before every key
   * @param redisKey the key
   * @return what it is, or null if it is no chunk's
   */
  public static @Nullable StoredName parse(String prefix, byte[] redisKey) {
    if (redisKey.length > MAX_LENGTH) {
      return null;
    }
    String whole = new String(redisKey, StandardCharsets.UTF_8);
    if (!whole.startsWith(prefix)
        || !Arrays.equals(whole.getBytes(StandardCharsets.UTF_8), redisKey)) {
      return null;
    }
    String rest = whole.substring(prefix.length());
    for (Part part : Part.values()) {
      if (part != Part.WHOLE && rest.endsWith(part.suffix)) {
        StoredName name = parsePair(prefix, rest, part);
        if (name != null) {
          return name;
        }
      }
    }
    return of(prefix, Form.SINGLE, Part.WHOLE, rest, rest);
  }

  private static @Nullable StoredName parsePair(String prefix, String rest, Part part) {
    String text = rest.substring(0, rest.length() - part.suffix.length());
    if (text.endsWith("}:") && text.startsWith("{")) {
      return of(prefix, Form.VALKEY_CLUSTER_PAIR, part, text.substring(1, text.length() - 2), rest);
    }
    return text.endsWith(":")
        ? of(prefix, Form.VALKEY_PAIR, part, text.substring(0, text.length() - 1), rest)
        : of(prefix, Form.PAIR, part, text, rest);
  }

  private static @Nullable StoredName of(
      String prefix, Form form, Part part, String text, String rest) {
    KeyFormat grammar = grammarOf(text);
    ChunkKey key = grammar == null ? KeyNames.parse(text) : grammar.parse(text);
    if (key == null) {
      return null;
    }
    return new StoredName(
        prefix, form, part, grammar, key, part != Part.WHOLE && endsAsWord(key, rest, part));
  }

  /**
   * Whether the suffix may be the last word of what a person chose: of a tag's value, or of a salt.
   */
  private static boolean endsAsWord(ChunkKey key, String rest, Part part) {
    boolean chosen =
        !key.tags().isEmpty() || (key instanceof ObjectKey object && !object.cacheSalt().isEmpty());
    return chosen
        && !Character.isLetterOrDigit(rest.charAt(rest.length() - part.suffix.length() - 1));
  }

  private static @Nullable KeyFormat grammarOf(String text) {
    try {
      return KeyFormat.detect(text);
    } catch (KeySyntaxException e) {
      return null;
    }
  }

  /**
   * The chunk's key as it stands in Redis.
   *
   * @return the text, in the grammar that it was read in
   */
  public String text() {
    return text(key);
  }

  private String text(ChunkKey other) {
    KeyFormat known = grammar;
    return known != null ? known.format(other) : ((ObjectKey) other).format(LmcacheVersion.CURRENT);
  }

  /**
   * The Redis key of a part of the chunk.
   *
   * @param other which part
   * @return UTF-8
   */
  public byte[] redisKey(Part other) {
    return redisKey(key, other);
  }

  /**
   * The Redis key by which a reader finds another chunk of the same layout and grammar.
   *
   * @param other the other chunk
   * @return UTF-8
   */
  public byte[] commitKey(ChunkKey other) {
    return redisKey(other, form.isPair() ? Part.METADATA : Part.WHOLE);
  }

  private byte[] redisKey(ChunkKey other, Part which) {
    return (prefix + form.before + text(other) + form.after + which.suffix)
        .getBytes(StandardCharsets.UTF_8);
  }
}
