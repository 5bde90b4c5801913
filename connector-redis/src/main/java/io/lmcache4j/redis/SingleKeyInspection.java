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
   * @param pairMarkers Redis keys that would be there if the chunk lay in a two-key layout
   */
  static CompletableFuture<EntryInfo> of(
      SingleKeyLayout layout,
      ChunkKey key,
      byte[] redisKey,
      List<byte[]> pairMarkers,
      RedisClusterAsyncCommands<byte[], byte[]> commands) {
    CompletableFuture<StoredValue> value = StoredValue.of(redisKey, commands);
    List<CompletableFuture<Long>> markers = new ArrayList<>();
    for (byte[] marker : pairMarkers) {
      markers.add(commands.exists(marker).toCompletableFuture());
    }
    return value.thenCombine(
        Batch.of(markers, n -> {}),
        (v, found) -> judge(layout, key, v, found.stream().anyMatch(n -> n > 0)));
  }

  private static EntryInfo judge(
      SingleKeyLayout layout, ChunkKey key, StoredValue value, boolean isPair) {
    List<String> problems = new ArrayList<>();
    if (isPair && !value.isPresent()) {
      problems.add(
          "this chunk lies in the two-key layout (redis://): a reader of this URL finds a miss");
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
