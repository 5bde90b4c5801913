/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lmcache4j.redis.Survey.Servers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What servers say of their memory; one that says nothing is no failure. */
final class ServerFacts {

  private static final Pattern FIELD = Pattern.compile("(?m)^(\\w+):(.*?)\\r?$");

  private ServerFacts() {}

  static CompletableFuture<Servers> ask(List<RedisClusterAsyncCommands<byte[], byte[]>> masters) {
    List<CompletableFuture<Servers>> answers = new ArrayList<>();
    for (RedisClusterAsyncCommands<byte[], byte[]> master : masters) {
      CompletableFuture<String> memory = Survey.orRefused(master.info("memory"), "");
      CompletableFuture<String> stats = Survey.orRefused(master.info("stats"), "");
      answers.add(
          Survey.orRefused(master.dbsize(), -1L)
              .thenCombine(memory.thenCombine(stats, (m, s) -> m + "\n" + s), ServerFacts::parse));
    }
    return Batch.of(answers, v -> {}).thenApply(ServerFacts::sum);
  }

  private static Servers parse(long keys, String info) {
    long used = -1;
    long max = -1;
    long evicted = -1;
    String policy = null;
    Matcher m = FIELD.matcher(info);
    while (m.find()) {
      switch (m.group(1)) {
        case "used_memory" -> used = Long.parseLong(m.group(2));
        case "maxmemory" -> max = Long.parseLong(m.group(2));
        case "evicted_keys" -> evicted = Long.parseLong(m.group(2));
        case "maxmemory_policy" -> policy = m.group(2);
        default -> {}
      }
    }
    return new Servers(1, keys, used, max, policy, evicted);
  }

  private static Servers sum(List<Servers> parts) {
    Servers all = parts.get(0);
    for (Servers part : parts.subList(1, parts.size())) {
      all =
          new Servers(
              all.masters() + 1,
              sum(all.keys(), part.keys()),
              sum(all.usedBytes(), part.usedBytes()),
              // One without a limit makes the whole have none.
              all.maxBytes() == 0 || part.maxBytes() == 0
                  ? 0
                  : sum(all.maxBytes(), part.maxBytes()),
              all.policy() == null ? part.policy() : all.policy(),
              sum(all.evictedKeys(), part.evictedKeys()));
    }
    return all;
  }

  private static long sum(long a, long b) {
    return a < 0 || b < 0 ? -1 : a + b;
  }
}
