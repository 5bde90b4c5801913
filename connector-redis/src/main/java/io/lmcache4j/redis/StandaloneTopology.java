/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import io.lmcache4j.redis.wire.Accelerator;
import io.netty.util.Timer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * One server: over TCP, TLS or a unix socket, or the master that Sentinel names. Sentinel is asked
 * again at every connection, so a reconnect follows a failover.
 */
final class StandaloneTopology implements Topology {

  private final String node;
  private final RedisURI uri;
  private final Probes probes;
  private final OpenChannels channels;
  private final ClientResources resources;
  private final RedisClient client;
  private final StatefulRedisConnection<byte[], byte[]> control;
  private final List<DataLane> lanes;

  private StandaloneTopology(
      RedisConnectorOptions options,
      RedisURI uri,
      OpenChannels channels,
      ClientResources resources,
      RedisClient client,
      List<StatefulRedisConnection<byte[], byte[]>> connections) {
    this.node = options.url().toString();
    this.uri = uri;
    this.probes = new Probes(options, resources);
    this.channels = channels;
    this.resources = resources;
    this.client = client;
    this.control = connections.get(0);
    this.lanes = DataLane.of(connections.subList(1, connections.size()));
  }

  static StandaloneTopology open(
      RedisConnectorOptions options, Accelerator accelerator, Listening listening) {
    RedisURI uri = LettuceSettings.finish(builder(options.url()), options);
    OpenChannels channels = new OpenChannels(accelerator);
    ClientResources resources = LettuceSettings.resources(options, channels);
    RedisClient client = RedisClient.create(resources);
    client.addListener(listening);
    try {
      client.setOptions(
          LettuceSettings.clientOptions(
              options, ClientOptions.DisconnectedBehavior.REJECT_COMMANDS));
      List<CompletableFuture<StatefulRedisConnection<byte[], byte[]>>> opening = new ArrayList<>();
      for (int i = 0; i <= options.dataConnections(); i++) {
        opening.add(client.connectAsync(ByteArrayCodec.INSTANCE, uri).toCompletableFuture());
      }
      return new StandaloneTopology(
          options, uri, channels, resources, client, LettuceSettings.await(opening, options));
    } catch (IllegalStateException | UnsupportedOperationException e) {
      // Lettuce has no transport for this kind of address, a unix socket most likely.
      LettuceSettings.shutDown(client, resources);
      throw new RedisConnectorException(
          "cannot connect to " + options.url() + ": " + LettuceSettings.reason(e), e);
    } catch (RuntimeException e) {
      LettuceSettings.shutDown(client, resources);
      throw e;
    }
  }

  private static RedisURI.Builder builder(RemoteUrl url) {
    if (url.scheme() == RemoteUrl.Scheme.UNIX) {
      return RedisURI.Builder.socket(url.path());
    }
    RemoteUrl.Node first = url.nodes().get(0);
    if (url.scheme() != RemoteUrl.Scheme.REDIS_SENTINEL) {
      return RedisURI.Builder.redis(first.host(), first.port());
    }
    RedisURI.Builder builder = RedisURI.builder().withSentinelMasterId(url.serviceName());
    for (RemoteUrl.Node node : url.nodes()) {
      builder.withSentinel(node.host(), node.port());
    }
    return builder;
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

  @Override
  public String nodeOf(byte[] redisKey) {
    return node;
  }

  @Override
  public boolean has(String name) {
    return true;
  }

  @Override
  public CompletionStage<?> ping(String name) {
    return control.async().ping();
  }

  @Override
  public CompletionStage<?> probe(String name) {
    return probes.probe(uri);
  }

  @Override
  public void cut(String name) {
    channels.cut(address -> true);
  }

  @Override
  public boolean keepsOrder() {
    return true;
  }

  @Override
  public CompletableFuture<Scanned> scan(String cursor, ScanArgs args) {
    return control
        .async()
        .scan(ScanCursor.of(cursor), args)
        .toCompletableFuture()
        .thenApply(
            page ->
                new Scanned(page.isFinished() ? KeyPage.END : page.getCursor(), page.getKeys()));
  }

  @Override
  public CompletableFuture<List<RedisClusterAsyncCommands<byte[], byte[]>>> masters() {
    return CompletableFuture.completedFuture(List.of(control.async()));
  }

  @Override
  public Timer timer() {
    return resources.timer();
  }

  @Override
  public CompletableFuture<Void> closeAsync() {
    return probes
        .closeAsync()
        .handle((v, e) -> LettuceSettings.shutDown(client, resources))
        .thenCompose(done -> done);
  }
}
