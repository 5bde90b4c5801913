/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.netty.util.Timer;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The servers that keys have led to, and the clock of their heartbeats. */
final class ServerNodes {

  /** How many times a server is looked at, at least, before it counts as unavailable. */
  private static final int TICKS = 6;

  private static final long SHORTEST_TICK_MILLIS = 10;
  private static final long LONGEST_TICK_MILLIS = 250;

  /** Who is where; the part of a topology that this needs. */
  interface Directory {

    /** The server that has a key, by a name for people. */
    String nodeOf(byte[] redisKey);

    /** Whether a server is still one of them. */
    boolean has(String node);

    /** Asks a server for a sign of life. */
    CompletionStage<?> ping(String node);

    /** Asks a server for a sign of life on a new connection, which is closed again. */
    CompletionStage<?> probe(String node);

    /** Closes the sockets to a server, which are then opened anew. */
    void cut(String node);
  }

  /** What is to be told of. */
  interface Watcher {

    /** Whether calls are under way, whose server is not known. */
    boolean isAwaited();

    /** Operations should not wait for this server any longer. */
    void unavailable(ServerNode node, Duration silence);

    /** This server answers again. */
    void available(ServerNode node, Duration silence);
  }

  private final Map<String, ServerNode> nodes = new ConcurrentHashMap<>();
  private final Directory directory;
  private final RedisConnectorOptions options;
  private final Watcher watcher;

  ServerNodes(Directory directory, RedisConnectorOptions options, Watcher watcher) {
    this.directory = directory;
    this.options = options;
    this.watcher = watcher;
  }

  /** The server of a key. */
  ServerNode of(byte[] redisKey) {
    return nodes.computeIfAbsent(
        directory.nodeOf(redisKey), name -> new ServerNode(name, directory, watcher, options));
  }

  /** The servers that keys have led to so far. */
  Collection<ServerNode> all() {
    return nodes.values();
  }

  /** A server that does not answer, of those that have these keys. */
  @Nullable ServerNode down(List<byte[]> redisKeys) {
    for (byte[] redisKey : redisKeys) {
      ServerNode node = of(redisKey);
      if (node.isDown()) {
        return node;
      }
    }
    return null;
  }

  long inFlightBytes() {
    return nodes.values().stream().mapToLong(node -> node.budget().inFlightBytes()).sum();
  }

  int waiting() {
    return nodes.values().stream().mapToInt(node -> node.budget().waiting()).sum();
  }

  /** Starts the clock; it stops by itself when the connector has closed. */
  void watch(Timer timer, BooleanSupplier closed) {
    if (closed.getAsBoolean()) {
      return;
    }
    long millis =
        Math.min(
            LONGEST_TICK_MILLIS,
            Math.max(SHORTEST_TICK_MILLIS, options.unavailableAfter().toMillis() / TICKS));
    timer.newTimeout(
        t -> {
          if (!closed.getAsBoolean()) {
            try {
              tick(System.nanoTime());
            } finally {
              watch(timer, closed);
            }
          }
        },
        millis,
        TimeUnit.MILLISECONDS);
  }

  private void tick(long now) {
    nodes.forEach(
        (name, node) -> {
          if (directory.has(name) || node.budget().inFlightBytes() > 0) {
            node.heartbeat().tick(now);
          } else {
            // It has left the cluster, and nobody will lead to it any more.
            nodes.remove(name);
          }
        });
  }
}
