/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lmcache4j.redis.Survey.Seen;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Removes keys that are as they were when they were looked at. */
final class Removal {

  /**
   * Deletes keys that are as they were, or none. Idle times are asked for before anything reads,
   * and are no number where the policy is LFU.
   */
  private static final byte[] SCRIPT =
      """
      for i, key in ipairs(KEYS) do
        local length = tonumber(ARGV[2 * i])
        if length < 0 then
          if redis.call('EXISTS', key) == 1 then return 0 end
        else
          local idle = redis.pcall('OBJECT', 'IDLETIME', key)
          if type(idle) == 'number' and idle < tonumber(ARGV[1]) then return 0 end
          if redis.pcall('STRLEN', key) ~= length then return 0 end
          local value = ARGV[2 * i + 1]
          if value ~= '' and redis.call('GET', key) ~= value then return 0 end
        end
      end
      local removed = 0
      for i, key in ipairs(KEYS) do
        if tonumber(ARGV[2 * i]) >= 0 then removed = removed + redis.call('UNLINK', key) end
      end
      return removed
      """
          .getBytes(StandardCharsets.UTF_8);

  private Removal() {}

  /**
   * Where keys lie on different nodes: each in a step of its own, and only while all are as they
   * were.
   */
  static CompletableFuture<Boolean> oneByOne(
      List<Seen> keys, long idleSeconds, RedisClusterAsyncCommands<byte[], byte[]> commands) {
    List<CompletableFuture<Long>> appeared = new ArrayList<>();
    List<Seen> present = new ArrayList<>();
    for (Seen seen : keys) {
      if (seen.length() == Survey.ABSENT) {
        appeared.add(commands.exists(seen.redisKey()).toCompletableFuture());
      } else {
        present.add(seen);
      }
    }
    return Batch.of(appeared, n -> {})
        .thenCompose(
            counts ->
                counts.contains(1L)
                    ? CompletableFuture.completedFuture(false)
                    : evalFrom(present, 0, idleSeconds, commands));
  }

  /** Stops at the first that is not as it was. */
  private static CompletableFuture<Boolean> evalFrom(
      List<Seen> keys,
      int index,
      long idleSeconds,
      RedisClusterAsyncCommands<byte[], byte[]> commands) {
    if (index == keys.size()) {
      return CompletableFuture.completedFuture(true);
    }
    return atOnce(keys.subList(index, index + 1), idleSeconds, commands)
        .thenCompose(
            removed ->
                removed
                    ? evalFrom(keys, index + 1, idleSeconds, commands)
                    : CompletableFuture.completedFuture(index > 0));
  }

  /** Where one server has all keys: in one step, all of them or none. */
  static CompletableFuture<Boolean> atOnce(
      List<Seen> keys, long idleSeconds, RedisClusterAsyncCommands<byte[], byte[]> commands) {
    List<byte[]> arguments = new ArrayList<>();
    arguments.add(ascii(idleSeconds));
    for (Seen seen : keys) {
      arguments.add(ascii(seen.length()));
      byte[] value = seen.value();
      arguments.add(value == null ? new byte[0] : value);
    }
    return commands
        .<Long>eval(
            SCRIPT,
            ScriptOutputType.INTEGER,
            keys.stream().map(Seen::redisKey).toArray(byte[][]::new),
            arguments.toArray(byte[][]::new))
        .toCompletableFuture()
        .thenApply(removed -> removed > 0);
  }

  private static byte[] ascii(long number) {
    return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
  }
}
