/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Where the same chunk would lie if it had been stored by a connector of another layout: to a
 * reader that looks like a cold cache, and only an inspection can tell.
 */
final class OtherLayouts {

  private static final String VALKEY_PAIR =
      "Valkey's older layout of two keys (valkey://…?layout=pair)";

  private final List<byte[]> markers = new ArrayList<>();

  /** What each of the keys would show. */
  private final List<String> layouts = new ArrayList<>();

  /**
   * Names the layouts other than the one that asks.
   *
   * @param prefix what stands before every key
   * @param text the chunk's key
   * @param own the Redis key whose existence says that the chunk is there
   */
  OtherLayouts(String prefix, String text, byte[] own) {
    add(prefix + text, "a single-key layout (resp:// or valkey://)", own);
    add(prefix + text + PairLayout.METADATA, "the two-key layout (redis://)", own);
    add(prefix + text + ":" + PairLayout.METADATA, VALKEY_PAIR, own);
    add(prefix + "{" + text + "}:" + PairLayout.METADATA, VALKEY_PAIR, own);
  }

  private void add(String redisKey, String layout, byte[] own) {
    byte[] marker = redisKey.getBytes(StandardCharsets.UTF_8);
    if (!Arrays.equals(marker, own)) {
      markers.add(marker);
      layouts.add(layout);
    }
  }

  /** Looks for the chunk; what is wrong, if it lies in one of them. */
  CompletableFuture<List<String>> problems(RedisClusterAsyncCommands<byte[], byte[]> commands) {
    List<CompletableFuture<Long>> found = new ArrayList<>();
    for (byte[] marker : markers) {
      found.add(commands.exists(marker).toCompletableFuture());
    }
    return Batch.of(found, n -> {})
        .thenApply(
            counts -> {
              List<String> problems = new ArrayList<>();
              for (int i = 0; i < counts.size(); i++) {
                if (counts.get(i) > 0) {
                  problems.add(
                      "this chunk lies in "
                          + layouts.get(i)
                          + ": a reader of this URL finds a miss");
                }
              }
              return problems;
            });
  }
}
