/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.key.KeySyntaxException;
import io.lmcache4j.core.key.ObjectKey;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * How the Redis keys of a chunk are made of its key, and told from others.
 *
 * <p>Nothing stands before or behind a chunk's key but what its layout asks for. A prefix, by
 * option, keeps tenants apart; LMCache has none, so whoever uses one leaves the wire.
 */
final class KeyNames {

  private final LmcacheVersion version;
  private final KeyFormat format;
  private final String before;
  private final String after;

  /**
   * Creates a naming.
   *
   * @param version whose grammar keys are written in
   * @param before what stands before a chunk's key: a prefix, a cluster's opening brace
   * @param after what stands between a chunk's key and a suffix: a cluster's closing brace, a colon
   */
  KeyNames(LmcacheVersion version, String before, String after) {
    this.version = version;
    this.format = KeyFormat.of(version);
    this.before = before;
    this.after = after;
  }

  /** The chunk's key as text, which is what a person knows it by. */
  String text(ChunkKey key) {
    return key instanceof ObjectKey object ? object.format(version) : format.format(key);
  }

  /** A Redis key of the chunk, UTF-8. */
  byte[] redisKey(String text, String suffix) {
    return (before + text + after + suffix).getBytes(StandardCharsets.UTF_8);
  }

  /** A pattern for SCAN that every Redis key with this suffix follows. */
  String pattern(String suffix) {
    // What SCAN takes for special is escaped; see util.c, stringmatchlen.
    return before.replaceAll("([\\\\*?\\[\\]^-])", "\\\\$1") + "*" + after + suffix;
  }

  /** The chunk's key in a Redis key, or null if that has not this form. */
  @Nullable String textOf(String redisKey, String suffix) {
    String end = after + suffix;
    if (!redisKey.startsWith(before)
        || !redisKey.endsWith(end)
        || redisKey.length() < before.length() + end.length()) {
      return null;
    }
    return redisKey.substring(before.length(), redisKey.length() - end.length());
  }

  /** The key that a text is, in whichever grammar, or null if it is none. */
  static @Nullable ChunkKey parse(String text) {
    try {
      return KeyFormat.parseAny(text);
    } catch (KeySyntaxException e) {
      // It may be an object's.
    }
    try {
      return ObjectKey.parse(text);
    } catch (KeySyntaxException e) {
      return null;
    }
  }
}
