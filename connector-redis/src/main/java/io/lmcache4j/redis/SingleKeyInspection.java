/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lmcache4j.core.key.ChunkKey;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Reads what there is under a key of a single-key layout, in one trip and without the payload. */
final class SingleKeyInspection {

  private SingleKeyInspection() {}

  /**
   * Inspects.
   *
   * @param others where the chunk may lie instead
   */
  static CompletableFuture<EntryInfo> of(
      SingleKeyLayout layout,
      ChunkKey key,
      byte[] redisKey,
      OtherLayouts others,
      RedisClusterAsyncCommands<byte[], byte[]> commands) {
    CompletableFuture<StoredValue> value = StoredValue.of(redisKey, commands);
    return value.thenCombine(
        others.problems(commands), (v, elsewhere) -> judge(layout, key, v, elsewhere));
  }

  private static EntryInfo judge(
      SingleKeyLayout layout, ChunkKey key, StoredValue value, List<String> elsewhere) {
    List<String> problems = new ArrayList<>();
    if (!value.isPresent()) {
      problems.addAll(elsewhere);
    }
    @Nullable Long bytes = value.bytes();
    if (value.isPresent() && bytes == null) {
      problems.add("the key holds a " + value.type() + " and not a string");
    } else if (bytes != null && value.isPresent()) {
      layout.disagreement(bytes).ifPresent(problems::add);
    }
    return new EntryInfo(
        key,
        false,
        value.isPresent(),
        value.isPresent() && problems.isEmpty() ? layout.describe(value.length()) : null,
        value.length(),
        value.ttlMillis(),
        value.ttlMillis(),
        problems);
  }
}
