/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.servers;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.cli.server.LocalRedisException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A server program, of which any number of servers can be started.
 *
 * @param executable where it is, or null for the one that {@link LocalRedis} finds
 * @param version e.g. {@code redis 7.0.15}
 * @param hasTls whether it was built with TLS
 */
public record Program(@Nullable Path executable, String version, boolean hasTls) {

  private static final int ATTEMPTS = 5;

  /** Starts one to ask it. */
  public static Program of(@Nullable Path executable) {
    try (LocalRedis redis = builder(executable).start();
        RawConnection raw = RawConnection.plain("127.0.0.1", redis.port())) {
      List<?> tls = (List<?>) raw.call("CONFIG", "GET", "tls-port");
      return new Program(executable, redis.version(), tls != null && !tls.isEmpty());
    }
  }

  /** A builder of a server of this program. */
  public LocalRedis.Builder server() {
    return builder(executable);
  }

  private static LocalRedis.Builder builder(@Nullable Path executable) {
    return executable == null ? LocalRedis.builder() : LocalRedis.builder().executable(executable);
  }

  /**
   * A server and the ports that it listens on beside its own.
   *
   * @param redis the server
   * @param ports the further ports
   */
  public record Started(LocalRedis redis, List<Integer> ports) {}

  /**
   * Starts a server that needs further ports. Somebody may take one in the meantime, so this is
   * tried again.
   *
   * @param builder what it is otherwise like
   * @param count of ports
   * @param arguments its arguments, from the ports
   */
  public static Started start(
      LocalRedis.Builder builder, int count, Function<List<Integer>, List<String>> arguments) {
    LocalRedisException last = null;
    for (int i = 0; i < ATTEMPTS; i++) {
      List<Integer> ports = freePorts(count);
      try {
        return new Started(
            builder.arguments(arguments.apply(ports).toArray(String[]::new)).start(), ports);
      } catch (LocalRedisException e) {
        last = e;
      }
    }
    throw new IllegalStateException("no server came up", last);
  }

  /** Ports on which nobody listens now. */
  private static List<Integer> freePorts(int count) {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        sockets.add(new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1})));
      }
      List<Integer> ports = sockets.stream().map(ServerSocket::getLocalPort).toList();
      for (ServerSocket socket : sockets) {
        socket.close();
      }
      return ports;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
