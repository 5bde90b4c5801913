/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a Redis key without reading it.
 *
 * @param type as {@code TYPE} says it; {@code none} if the key is not there
 * @param bytes length, or null if it holds no string
 * @param ttlMillis as {@code PTTL} says it: -1 for none, -2 if the key is not there
 */
record StoredValue(String type, @Nullable Long bytes, long ttlMillis) {

  /** {@code PTTL} of a key that never expires. */
  static final long FOREVER = -1;

  static CompletableFuture<StoredValue> of(
      byte[] key, RedisClusterAsyncCommands<byte[], byte[]> commands) {
    CompletableFuture<String> type = commands.type(key).toCompletableFuture();
    // A key of another type has no length: that becomes a problem of the entry, not a failure of
    // the inspection.
    CompletableFuture<@Nullable Long> bytes = nullIfOfAnotherType(commands.strlen(key));
    CompletableFuture<Long> ttl = commands.pttl(key).toCompletableFuture();
    return CompletableFuture.allOf(type, bytes, ttl)
        .thenApply(v -> new StoredValue(type.join(), bytes.join(), ttl.join()));
  }

  /** Every other failure says something about the server and nothing about the entry. */
  static <T> CompletableFuture<@Nullable T> nullIfOfAnotherType(CompletionStage<T> reply) {
    CompletableFuture<@Nullable T> result = new CompletableFuture<>();
    reply.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            result.complete(value);
          } else if (String.valueOf(failure.getMessage()).startsWith("WRONGTYPE")) {
            result.complete(null);
          } else {
            result.completeExceptionally(failure);
          }
        });
    return result;
  }

  boolean isPresent() {
    return !type.equals("none");
  }

  long length() {
    return bytes == null ? 0 : bytes;
  }
}
