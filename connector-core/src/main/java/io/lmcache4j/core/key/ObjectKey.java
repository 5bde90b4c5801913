/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Key of an object in LMCache's multi-process mode, whose values are opaque.
 *
 * <pre>
 *   &gt;= 0.4.7   model "@" kv_rank "@" object_group_id "@" chunk_hash [ "@" cache_salt ]
 *   &gt;= 0.4.4   model "@" kv_rank "@" chunk_hash [ "@" cache_salt ]
 *   older     model "@" kv_rank "@" chunk_hash
 * </pre>
 *
 * <p>{@code kv_rank} is at least eight hexadecimal digits, {@code world size << 24 | rank << 16 |
 * local world size << 8 | local rank}, the fields not masked, so that a world of 256 needs nine.
 * {@code object_group_id} is hexadecimal. The hash is that of a byte string, 64 digits as a rule
 * (BLAKE3). Source: {@code lmcache/v1/distributed/api.py}, {@code ObjectKey} and {@code
 * _object_key_to_string}, LMCache 0.5.6.
 *
 * @param modelName the model; without {@code @}
 * @param kvRank the packed ranks, not negative
 * @param objectGroupId number of the group, not negative; 0 where the grammar has none
 * @param chunkHash an even number of lower-case hexadecimal digits
 * @param cacheSalt the tenant's salt, or empty; at most {@value #MAX_SALT} characters
 */
public record ObjectKey(
    String modelName, long kvRank, int objectGroupId, String chunkHash, String cacheSalt)
    implements ChunkKey {

  /** LMCache's own limit. */
  public static final int MAX_SALT = 128;

  private static final Pattern HASH = Pattern.compile("(?:[0-9a-f]{2})+");
  private static final Pattern SYNTAX =
      Pattern.compile(
          "(?<model>[^@]+)@(?<rank>[0-9a-f]{8,15})(?:@(?<group>0|[1-9a-f][0-9a-f]{0,6}))?"
              + "@(?<hash>(?:[0-9a-f]{2})+)(?:@(?<salt>[^@]+))?");

  private static final int BYTE = 0xFF;

  /** Checks what LMCache checks, and that the hash is one. */
  public ObjectKey {
    String text = modelName + "@…@" + chunkHash;
    if (modelName.isEmpty() || modelName.indexOf('@') >= 0) {
      throw new KeySyntaxException(text, KeySyntax.MODEL, modelName, "a name without \"@\"");
    }
    if (kvRank < 0) {
      throw new KeySyntaxException(text, "kv rank", Long.toString(kvRank), "0 or more");
    }
    if (objectGroupId < 0) {
      throw new KeySyntaxException(
          text, "object group id", Integer.toString(objectGroupId), "0 or more");
    }
    if (!HASH.matcher(chunkHash).matches()) {
      throw new KeySyntaxException(
          text, KeySyntax.CHUNK_HASH, chunkHash, "an even number of lower-case hexadecimal digits");
    }
    if (cacheSalt.length() > MAX_SALT || !cacheSalt.matches("[^@/\\\\\\x00]*")) {
      throw new KeySyntaxException(
          text,
          "cache salt",
          cacheSalt,
          "at most " + MAX_SALT + " characters without \"@\", \"/\", \"\\\" and NUL");
    }
  }

  /**
   * Packs ranks as LMCache does.
   *
   * @param worldSize ranks in all
   * @param rank this one
   * @param localWorldSize ranks on this host
   * @param localRank this one among them
   * @return the packed number
   */
  public static long kvRank(int worldSize, int rank, int localWorldSize, int localRank) {
    return ((long) worldSize << 24)
        | ((long) rank << 16)
        | ((long) localWorldSize << 8)
        | localRank;
  }

  /** Ranks in all, from the packed number. */
  @Override
  public int worldSize() {
    return (int) Math.min(Integer.MAX_VALUE, kvRank >>> 24);
  }

  /** The rank, from the packed number: below 256, or it has run into the world size. */
  @Override
  public int workerId() {
    return (int) (kvRank >>> 16) & BYTE;
  }

  /** Objects carry no dtype in their key. */
  @Override
  public DType dtype() {
    return DType.NONE;
  }

  /** Objects carry no tags. */
  @Override
  public Map<String, String> tags() {
    return Map.of();
  }

  /**
   * The same key for another rank; the local rank is left as it is.
   *
   * @param workerId the other rank, 0 to 255
   * @return a key
   */
  @Override
  public ObjectKey withWorkerId(int workerId) {
    if (workerId < 0 || workerId > BYTE) {
      throw new KeySyntaxException(
          toString(), KeySyntax.WORKER_ID, Integer.toString(workerId), "0 to " + BYTE);
    }
    long rank = (kvRank & ~((long) BYTE << 16)) | ((long) workerId << 16);
    return new ObjectKey(modelName, rank, objectGroupId, chunkHash, cacheSalt);
  }

  /**
   * Parses a key of any release.
   *
   * @param text the key
   * @return the key
   * @throws KeySyntaxException if the text is none
   */
  public static ObjectKey parse(String text) {
    Matcher m = SYNTAX.matcher(text);
    if (!m.matches()) {
      throw new KeySyntaxException(
          text, "key", text, "model@kv_rank[@object_group_id]@chunk_hash[@cache_salt]");
    }
    String group = m.group("group");
    String salt = m.group("salt");
    return new ObjectKey(
        m.group("model"),
        Long.parseLong(m.group("rank"), 16),
        group == null ? 0 : Integer.parseInt(group, 16),
        m.group("hash"),
        salt == null ? "" : salt);
  }

  /**
   * The key as a release writes it.
   *
   * @param version the release, 0.4.1 or newer
   * @return the text
   * @throws KeySyntaxException if its grammar has no place for the group or the salt
   */
  public String format(LmcacheVersion version) {
    String rank = String.format("%08x", kvRank);
    boolean hasGroup = version.isAtLeast(0, 4, 7);
    boolean hasSalt = version.isAtLeast(0, 4, 4);
    if (!hasGroup && objectGroupId != 0) {
      throw new KeySyntaxException(
          toString(), "object group id", Integer.toString(objectGroupId), "0 before 0.4.7");
    }
    if (!hasSalt && !cacheSalt.isEmpty()) {
      throw new KeySyntaxException(toString(), "cache salt", cacheSalt, "none before 0.4.4");
    }
    List<String> fields =
        hasGroup
            ? List.of(modelName, rank, Integer.toHexString(objectGroupId), chunkHash)
            : List.of(modelName, rank, chunkHash);
    return String.join("@", fields) + (cacheSalt.isEmpty() ? "" : "@" + cacheSalt);
  }

  /** The key as LMCache 0.4.7 and newer write it. */
  @Override
  public String toString() {
    return format(LmcacheVersion.CURRENT);
  }
}
