/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.AbstractRedisClient;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslOptions;
import io.lettuce.core.SslVerifyMode;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.protocol.ProtocolVersion;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.Delay;
import io.netty.handler.ssl.OpenSsl;
import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Our options in Lettuce's words, the same for every topology. */
final class LettuceSettings {

  /**
   * A lookup whose connection shares an event loop with a payload waits while megabytes are read,
   * so each connection has one of its own. Netty hands them out in turn: the second is for the
   * connection that takes this one's place. A loop that has no connection has no thread either.
   */
  private static final int EVENT_LOOPS_PER_CONNECTION = 2;

  /** How long event loops may take to end; by then nothing is under way any more. */
  private static final int SHUTDOWN_SECONDS = 2;

  /**
   * Pauses between attempts to connect again: doubled each time, and never so long that a server
   * that is back would wait for us. Lettuce's own go up to 30 s.
   */
  private static final Delay RECONNECT_DELAY =
      Delay.exponential(Duration.ofMillis(1), Duration.ofSeconds(1), 2, TimeUnit.MILLISECONDS);

  /**
   * Finds out that the peer of an idle connection is gone; the kernel's own default takes two
   * hours. What is in use is watched by {@link Heartbeat}.
   */
  private static final SocketOptions.KeepAliveOptions KEEP_ALIVE =
      SocketOptions.KeepAliveOptions.builder()
          .enable()
          .idle(Duration.ofSeconds(15))
          .interval(Duration.ofSeconds(5))
          .count(3)
          .build();

  private LettuceSettings() {}

  static ClientResources resources(RedisConnectorOptions options, OpenChannels channels) {
    return DefaultClientResources.builder()
        .ioThreadPoolSize(EVENT_LOOPS_PER_CONNECTION * (1 + options.dataConnections()))
        .nettyCustomizer(channels)
        .reconnectDelay(RECONNECT_DELAY)
        .commandLatencyRecorder(CommandLatencyRecorder.disabled())
        .build();
  }

  static ClientOptions clientOptions(
      RedisConnectorOptions options, ClientOptions.DisconnectedBehavior whileDisconnected) {
    ClientOptions.Builder builder =
        ClientOptions.builder()
            .autoReconnect(true)
            .disconnectedBehavior(whileDisconnected)
            .protocolVersion(
                options.url().protocol() == 2 ? ProtocolVersion.RESP2 : ProtocolVersion.RESP3)
            // Deadlines are kept above: Lettuce's would complete futures and say nothing of the
            // bytes.
            .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
            .maintNotificationsConfig(MaintNotificationsConfig.disabled())
            .socketOptions(socketOptions(options));
    RemoteUrl.Tls tls = options.url().tls();
    if (tls != null) {
      builder.sslOptions(sslOptions(tls));
    }
    return builder.build();
  }

  private static SocketOptions socketOptions(RedisConnectorOptions options) {
    SocketOptions.Builder builder =
        SocketOptions.builder().connectTimeout(options.connectTimeout()).tcpNoDelay(true);
    // A unix socket knows nothing of it, and Netty would say so at every connection; Lettuce's
    // default is to ask for it.
    return (options.url().scheme() == RemoteUrl.Scheme.UNIX
            ? builder.keepAlive(false)
            : builder.keepAlive(KEEP_ALIVE))
        .build();
  }

  private static SslOptions sslOptions(RemoteUrl.Tls tls) {
    SslOptions.Builder builder = SslOptions.builder();
    if (OpenSsl.isAvailable()) {
      // Several times the JDK's own in bytes a second; there if netty-tcnative is on the class
      // path.
      builder.openSslProvider();
    }
    if (tls.caCerts() != null) {
      builder.trustManager(readable("ssl_ca_certs", tls.caCerts()));
    }
    if (tls.certFile() != null && tls.keyFile() != null) {
      builder.keyManager(
          readable("ssl_certfile", tls.certFile()),
          readable("ssl_keyfile", tls.keyFile()),
          new char[0]);
    }
    return builder.build();
  }

  private static File readable(String parameter, String path) {
    File file = new File(path);
    if (!file.canRead()) {
      throw new RemoteUrlException(parameter + " names " + path + ", which cannot be read");
    }
    return file;
  }

  /** Sets on a URI what does not depend on where it points. */
  static RedisURI finish(RedisURI.Builder builder, RedisConnectorOptions options) {
    RemoteUrl url = options.url();
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
    String name = options.clientName() == null ? url.clientName() : options.clientName();
    if (name != null) {
      builder.withClientName(name);
    }
    RemoteUrl.Tls tls = url.tls();
    if (tls != null) {
      builder.withSsl(true).withVerifyPeer(verifyMode(tls));
    }
    return builder.build();
  }

  private static SslVerifyMode verifyMode(RemoteUrl.Tls tls) {
    if (!tls.verifyCertificate()) {
      return SslVerifyMode.NONE;
    }
    return tls.verifyHost() ? SslVerifyMode.FULL : SslVerifyMode.CA;
  }

  /**
   * Waits for connections that are being made.
   *
   * @throws RedisConnectorException if one of them fails or time is up
   */
  static <T> List<T> await(List<CompletableFuture<T>> opening, RedisConnectorOptions options) {
    RemoteUrl url = options.url();
    try {
      CompletableFuture.allOf(opening.toArray(CompletableFuture[]::new))
          .get(options.connectTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new RedisConnectorException(
          "cannot connect to " + url + " within " + options.connectTimeout().toMillis() + " ms", e);
    } catch (ExecutionException e) {
      Throwable told = telling(opening);
      throw new RedisConnectorException(
          "cannot connect to " + url + ": " + reason(told == null ? e : told),
          told == null ? e.getCause() : told);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RedisConnectorException("interrupted connecting to " + url, e);
    }
    List<T> connections = new ArrayList<>(opening.size());
    for (CompletableFuture<T> connection : opening) {
      connections.add(connection.join());
    }
    return connections;
  }

  /**
   * The failure of a connection that the server said something to, or null if there is none.
   * Lettuce closes what is refused before it tells of the refusal, and where it sees the closing
   * first it tells of that alone.
   */
  private static <T> @Nullable Throwable telling(List<CompletableFuture<T>> opening) {
    for (CompletableFuture<T> connection : opening) {
      Throwable failure = connection.handle((c, e) -> e).join();
      for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
        if (cause instanceof RedisCommandExecutionException) {
          return failure;
        }
      }
    }
    return null;
  }

  /** Closes what a topology opened. */
  static CompletableFuture<Void> shutDown(AbstractRedisClient client, ClientResources resources) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    shutDown(client)
        .whenComplete(
            (v, e) ->
                resources
                    .shutdown(0, SHUTDOWN_SECONDS, TimeUnit.SECONDS)
                    .addListener(
                        f -> {
                          done.complete(null);
                        }));
    return done;
  }

  /** Closes a client whose resources are another's. */
  static CompletableFuture<Void> shutDown(AbstractRedisClient client) {
    return client.shutdownAsync(0, SHUTDOWN_SECONDS, TimeUnit.SECONDS);
  }

  /**
   * The innermost message there is: Lettuce's own is only that it could not connect, and to what.
   */
  static String reason(Throwable e) {
    String reason = e.toString();
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      String message = cause.getMessage();
      reason = message == null ? cause.getClass().getSimpleName() : message;
    }
    return reason;
  }
}
