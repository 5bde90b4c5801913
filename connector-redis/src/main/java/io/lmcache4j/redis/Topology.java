/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.ScanArgs;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lmcache4j.redis.wire.Accelerator;
import io.netty.util.Timer;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The sockets of one connector, whatever stands behind them: one way for lookups and listings, so
 * that they never stand behind a payload, and some for payloads.
 */
interface Topology extends ServerNodes.Directory {

  /**
   * Connects.
   *
   * @throws RedisConnectorException if that fails or takes longer than the options allow; nothing
   *     is left open then
   */
  static Topology open(
      RedisConnectorOptions options, Accelerator accelerator, Listening listening) {
    RemoteUrl url = options.url();
    return url.scheme() == RemoteUrl.Scheme.REDIS_CLUSTER || url.isValkeyCluster()
        ? ClusterTopology.open(options, accelerator, listening)
        : StandaloneTopology.open(options, accelerator, listening);
  }

  /** Whether the way for everything small is open. */
  boolean isControlOpen();

  /** The ways for payloads. */
  List<DataLane> lanes();

  /** The way for everything small. */
  RedisClusterAsyncCommands<byte[], byte[]> control();

  /**
   * Whether commands for any two keys, sent one behind the other on one lane, are also executed in
   * that order. Not so in a cluster, where the two keys of a chunk have different slots.
   */
  boolean keepsOrder();

  /** One step of a scan over all keys of all nodes. */
  CompletableFuture<Scanned> scan(String cursor, ScanArgs args);

  /** Each master by itself, on the connection that {@link #control} uses for it. */
  CompletableFuture<List<RedisClusterAsyncCommands<byte[], byte[]>>> masters();

  /** The clock of deadlines. */
  Timer timer();

  CompletableFuture<Void> closeAsync();

  /**
   * One step of a scan.
   *
   * @param nextCursor {@link KeyPage#END} at the end
   * @param keys Redis keys
   */
  record Scanned(String nextCursor, List<byte[]> keys) {}
}
