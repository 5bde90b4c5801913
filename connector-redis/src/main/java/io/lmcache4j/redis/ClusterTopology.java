/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import io.lmcache4j.redis.wire.Accelerator;
import io.netty.util.Timer;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A Redis cluster. Each lane is a cluster connection of its own, that is, one socket to every node
 * that it has had to talk to; Lettuce routes by slot and follows MOVED and ASK.
 *
 * <p>Sockets are opened at the first command for their node, a redirected one too, so commands that
 * come before a socket is open have to wait for it: rejecting them, as {@link StandaloneTopology}
 * does, would fail the first of each node and most of a resharding. They wait no longer than their
 * deadline.
 *
 * <p>A scan goes through the masters in the order of their ids; its cursor is {@code id:cursor}.
 */
final class ClusterTopology implements Topology {

  /**
   * How often the slots are looked up again when nothing has gone wrong; a redirect does it at
   * once.
   */
  private static final Duration REFRESH = Duration.ofSeconds(30);

  /**
   * How often they are looked up again when something has: Lettuce's own 5 s is long for a miss.
   */
  private static final Duration AFTER_TROUBLE = Duration.ofSeconds(1);

  private static final String NOBODY = "a slot without a node";

  private final Probes probes;
  private final OpenChannels channels;
  private final ClientResources resources;
  private final RedisClusterClient client;
  private final List<StatefulRedisClusterConnection<byte[], byte[]>> connections;
  private final StatefulRedisClusterConnection<byte[], byte[]> control;
  private final List<DataLane> lanes;

  private ClusterTopology(
      RedisConnectorOptions options,
      OpenChannels channels,
      ClientResources resources,
      RedisClusterClient client,
      List<StatefulRedisClusterConnection<byte[], byte[]>> connections) {
    this.probes = new Probes(options, resources);
    this.channels = channels;
    this.resources = resources;
    this.client = client;
    this.connections = connections;
    this.control = connections.get(0);
    this.lanes = DataLane.of(connections.subList(1, connections.size()));
  }

  static ClusterTopology open(
      RedisConnectorOptions options, Accelerator accelerator, Listening listening) {
    List<RedisURI> seeds = new ArrayList<>();
    for (RemoteUrl.Node node : options.url().nodes()) {
      seeds.add(LettuceSettings.finish(RedisURI.Builder.redis(node.host(), node.port()), options));
    }
    OpenChannels channels = new OpenChannels(accelerator);
    ClientResources resources = LettuceSettings.resources(options, channels);
    RedisClusterClient client = RedisClusterClient.create(resources, seeds);
    client.addListener(listening);
    try {
      client.setOptions(
          ClusterClientOptions.builder(
                  LettuceSettings.clientOptions(
                      options, ClientOptions.DisconnectedBehavior.ACCEPT_COMMANDS))
              .topologyRefreshOptions(
                  ClusterTopologyRefreshOptions.builder()
                      .enablePeriodicRefresh(REFRESH)
                      .adaptiveRefreshTriggersTimeout(AFTER_TROUBLE)
                      .build())
              .build());
      LettuceSettings.await(
          List.of(client.refreshPartitionsAsync().toCompletableFuture()), options);
      List<CompletableFuture<StatefulRedisClusterConnection<byte[], byte[]>>> opening =
          new ArrayList<>();
      for (int i = 0; i <= options.dataConnections(); i++) {
        opening.add(client.connectAsync(ByteArrayCodec.INSTANCE).toCompletableFuture());
      }
      return new ClusterTopology(
          options, channels, resources, client, LettuceSettings.await(opening, options));
    } catch (RuntimeException e) {
      LettuceSettings.shutDown(client, resources);
      throw e;
    }
  }

  @Override
  public List<DataLane> lanes() {
    return lanes;
  }

  @Override
  public RedisClusterAsyncCommands<byte[], byte[]> control() {
    return control.async();
  }

  @Override
  public boolean isControlOpen() {
    return control.isOpen();
  }

  /** A slot that nobody has is asked for wherever Lettuce sends it, and by no name of a node. */
  @Override
  public String nodeOf(byte[] redisKey) {
    RedisClusterNode node = control.getPartitions().getPartitionBySlot(SlotHash.getSlot(redisKey));
    return node == null ? NOBODY : nameOf(node);
  }

  private static String nameOf(RedisClusterNode node) {
    return node.getUri().getHost() + ":" + node.getUri().getPort();
  }

  @Override
  public boolean has(String name) {
    return name.equals(NOBODY) || find(name) != null;
  }

  private @Nullable RedisClusterNode find(String name) {
    for (RedisClusterNode node : control.getPartitions()) {
      if (nameOf(node).equals(name)) {
        return node;
      }
    }
    return null;
  }

  @Override
  public CompletionStage<?> ping(String name) {
    RedisClusterNode node = find(name);
    return node == null
        ? control.async().ping()
        : control.getConnectionAsync(node.getNodeId()).thenCompose(c -> c.async().ping());
  }

  @Override
  public CompletionStage<?> probe(String name) {
    RedisClusterNode node = find(name);
    return node == null
        ? CompletableFuture.failedFuture(new IllegalStateException(name + " has left the cluster"))
        : probes.probe(node.getUri());
  }

  @Override
  public void cut(String name) {
    RedisClusterNode node = find(name);
    if (node == null) {
      return;
    }
    channels.cut(
        address ->
            address instanceof InetSocketAddress inet
                && inet.getPort() == node.getUri().getPort()
                && isHost(inet, node.getUri().getHost()));
    // Its slots may have gone to a replica by now.
    client.refreshPartitionsAsync();
  }

  private static boolean isHost(InetSocketAddress address, String host) {
    return address.getHostString().equals(host)
        || (address.getAddress() != null && address.getAddress().getHostAddress().equals(host));
  }

  @Override
  public boolean keepsOrder() {
    return false;
  }

  @Override
  public CompletableFuture<Scanned> scan(String cursor, ScanArgs args) {
    List<String> masters = new ArrayList<>();
    for (RedisClusterNode node : control.getPartitions()) {
      if (node.is(RedisClusterNode.NodeFlag.UPSTREAM)) {
        masters.add(node.getNodeId());
      }
    }
    masters.sort(null);
    int colon = cursor.indexOf(':');
    if (colon < 0 && !cursor.equals(KeyPage.END)) {
      return CompletableFuture.failedFuture(
          new RedisConnectorException("invalid cursor: \"" + cursor + "\"", null));
    }
    String id = colon < 0 ? masters.get(0) : cursor.substring(0, colon);
    String within = colon < 0 ? KeyPage.END : cursor.substring(colon + 1);
    return control
        .getConnectionAsync(id)
        .thenCompose(c -> c.async().scan(ScanCursor.of(within), args))
        .thenApply(
            page -> {
              if (!page.isFinished()) {
                return new Scanned(id + ":" + page.getCursor(), page.getKeys());
              }
              // Not by position: masters may have come and gone since the last step.
              for (String next : masters) {
                if (next.compareTo(id) > 0) {
                  return new Scanned(next + ":" + KeyPage.END, page.getKeys());
                }
              }
              return new Scanned(KeyPage.END, page.getKeys());
            });
  }

  @Override
  public CompletableFuture<List<RedisClusterAsyncCommands<byte[], byte[]>>> masters() {
    List<CompletableFuture<RedisClusterAsyncCommands<byte[], byte[]>>> masters = new ArrayList<>();
    for (RedisClusterNode node : control.getPartitions()) {
      if (node.is(RedisClusterNode.NodeFlag.UPSTREAM)) {
        RedisURI uri = node.getUri();
        // By address and not by id: Lettuce keeps another connection for that.
        masters.add(
            control.getConnectionAsync(uri.getHost(), uri.getPort()).thenApply(c -> c.async()));
      }
    }
    return Batch.of(masters, c -> {});
  }

  @Override
  public Timer timer() {
    return resources.timer();
  }

  @Override
  public CompletableFuture<Void> closeAsync() {
    // Each closes its sockets to the nodes; the client alone would close those twice, and warn.
    List<CompletableFuture<Void>> closing = new ArrayList<>();
    closing.add(probes.closeAsync());
    for (StatefulRedisClusterConnection<byte[], byte[]> connection : connections) {
      closing.add(connection.closeAsync());
    }
    return CompletableFuture.allOf(closing.toArray(CompletableFuture[]::new))
        .handle((v, e) -> LettuceSettings.shutDown(client, resources))
        .thenCompose(done -> done);
  }
}
