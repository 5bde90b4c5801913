/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lmcache4j.redis.wire.Accelerator;
import io.netty.util.Timer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The sockets of one connector: one for lookups and listings, so that they never stand behind a
 * payload, and some for payloads.
 *
 * <p>A lost connection fails what was under way on it and rejects what comes, at once, while
 * Lettuce reconnects in the background: whoever waits for a cache would rather have a miss.
 */
final class Connections {

  /**
   * A lookup whose connection shares an event loop with a payload waits while megabytes are read,
   * so each connection has one of its own. Netty hands them out in turn: the second is for the
   * connection that takes this one's place. A loop that has no connection has no thread either.
   */
  private static final int EVENT_LOOPS_PER_CONNECTION = 2;

  private final ClientResources resources;
  private final RedisClient client;
  private final StatefulRedisConnection<byte[], byte[]> control;
  private final List<DataLane> lanes;

  private Connections(
      ClientResources resources,
      RedisClient client,
      StatefulRedisConnection<byte[], byte[]> control,
      List<DataLane> lanes) {
    this.resources = resources;
    this.client = client;
    this.control = control;
    this.lanes = lanes;
  }

  /**
   * Connects.
   *
   * @throws RedisConnectorException if that fails or takes longer than the options allow; nothing
   *     is left open then
   */
  static Connections open(RedisConnectorOptions options, Accelerator accelerator) {
    ClientResources resources =
        DefaultClientResources.builder()
            .nettyCustomizer(accelerator)
            .commandLatencyRecorder(CommandLatencyRecorder.disabled())
            .ioThreadPoolSize(EVENT_LOOPS_PER_CONNECTION * (1 + options.dataConnections()))
            .build();
    RedisClient client = RedisClient.create(resources);
    client.setOptions(clientOptions(options));
    RedisURI uri = uri(options);
    List<CompletableFuture<StatefulRedisConnection<byte[], byte[]>>> opening = new ArrayList<>();
    for (int i = 0; i <= options.dataConnections(); i++) {
      opening.add(client.connectAsync(ByteArrayCodec.INSTANCE, uri).toCompletableFuture());
    }
    try {
      CompletableFuture.allOf(opening.toArray(CompletableFuture[]::new))
          .get(options.connectTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      shutDown(client, resources);
      throw new RedisConnectorException(
          "cannot connect to "
              + options.url()
              + " within "
              + options.connectTimeout().toMillis()
              + " ms",
          e);
    } catch (ExecutionException e) {
      shutDown(client, resources);
      throw new RedisConnectorException(
          "cannot connect to " + options.url() + ": " + reason(e), e.getCause());
    } catch (InterruptedException e) {
      shutDown(client, resources);
      Thread.currentThread().interrupt();
      throw new RedisConnectorException("interrupted connecting to " + options.url(), e);
    }
    List<DataLane> lanes = new ArrayList<>();
    for (int i = 1; i < opening.size(); i++) {
      lanes.add(new DataLane(opening.get(i).join()));
    }
    return new Connections(resources, client, opening.get(0).join(), lanes);
  }

  /** The innermost message: Lettuce's own is only that it could not connect, and to what. */
  private static String reason(Throwable e) {
    Throwable innermost = e;
    while (innermost.getCause() != null) {
      innermost = innermost.getCause();
    }
    return String.valueOf(innermost.getMessage());
  }

  private static ClientOptions clientOptions(RedisConnectorOptions options) {
    return ClientOptions.builder()
        .autoReconnect(true)
        .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
        // Deadlines are kept above: Lettuce's would complete futures and say nothing of the bytes.
        .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
        .maintNotificationsConfig(MaintNotificationsConfig.disabled())
        .socketOptions(
            SocketOptions.builder()
                .connectTimeout(options.connectTimeout())
                .keepAlive(true)
                .tcpNoDelay(true)
                .build())
        .build();
  }

  private static RedisURI uri(RedisConnectorOptions options) {
    RemoteUrl url = options.url();
    RedisURI.Builder builder =
        url.scheme() == RemoteUrl.Scheme.UNIX
            ? RedisURI.Builder.socket(url.path())
            : RedisURI.Builder.redis(url.host(), url.port());
    builder.withDatabase(url.database()).withTimeout(options.connectTimeout());
    char[] password = url.password();
    if (password != null) {
      String user = url.user();
      if (user != null) {
        builder.withAuthentication(user, password);
      } else {
        builder.withPassword(password);
      }
    }
    String name = options.clientName();
    if (name != null) {
      builder.withClientName(name);
    }
    return builder.build();
  }

  StatefulRedisConnection<byte[], byte[]> control() {
    return control;
  }

  List<DataLane> lanes() {
    return lanes;
  }

  Timer timer() {
    return resources.timer();
  }

  CompletableFuture<Void> closeAsync() {
    return shutDown(client, resources);
  }

  private static CompletableFuture<Void> shutDown(RedisClient client, ClientResources resources) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    client
        .shutdownAsync(0, 2, TimeUnit.SECONDS)
        .whenComplete(
            (v, e) ->
                resources
                    .shutdown(0, 2, TimeUnit.SECONDS)
                    .addListener(
                        f -> {
                          done.complete(null);
                        }));
    return done;
  }
}
