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
            .build();
    RedisClient client = RedisClient.create(resources);
    try {
      client.setOptions(clientOptions(options));
      List<StatefulRedisConnection<byte[], byte[]>> connections = connect(client, options);
      List<DataLane> lanes = new ArrayList<>();
      for (int i = 1; i < connections.size(); i++) {
        lanes.add(new DataLane(connections.get(i)));
      }
      return new Connections(resources, client, connections.get(0), lanes);
    } catch (RuntimeException e) {
      shutDown(client, resources);
      throw e;
    }
  }

  private static List<StatefulRedisConnection<byte[], byte[]>> connect(
      RedisClient client, RedisConnectorOptions options) {
    RedisURI uri = uri(options);
    List<CompletableFuture<StatefulRedisConnection<byte[], byte[]>>> opening = new ArrayList<>();
    try {
      for (int i = 0; i <= options.dataConnections(); i++) {
        opening.add(client.connectAsync(ByteArrayCodec.INSTANCE, uri).toCompletableFuture());
      }
      CompletableFuture.allOf(opening.toArray(CompletableFuture[]::new))
          .get(options.connectTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new RedisConnectorException(
          "cannot connect to "
              + options.url()
              + " within "
              + options.connectTimeout().toMillis()
              + " ms",
          e);
    } catch (ExecutionException e) {
      throw new RedisConnectorException(
          "cannot connect to " + options.url() + ": " + reason(e), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RedisConnectorException("interrupted connecting to " + options.url(), e);
    } catch (IllegalStateException | UnsupportedOperationException e) {
      // Lettuce has no transport for this kind of address, a unix socket most likely.
      throw new RedisConnectorException("cannot connect to " + options.url() + ": " + reason(e), e);
    }
    List<StatefulRedisConnection<byte[], byte[]>> connections = new ArrayList<>();
    for (CompletableFuture<StatefulRedisConnection<byte[], byte[]>> opened : opening) {
      connections.add(opened.join());
    }
    return connections;
  }

  /**
   * The innermost message there is: Lettuce's own is only that it could not connect, and to what.
   */
  private static String reason(Throwable e) {
    String reason = e.toString();
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      String message = cause.getMessage();
      reason = message == null ? cause.getClass().getSimpleName() : message;
    }
    return reason;
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
    // As redis-py logs in: a user without a password has an empty one, two empty ones are none.
    String user = url.user();
    char[] given = url.password();
    char[] password = given == null ? new char[0] : given;
    if (user != null) {
      builder.withAuthentication(user, password);
    } else if (password.length > 0) {
      builder.withPassword(password);
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
