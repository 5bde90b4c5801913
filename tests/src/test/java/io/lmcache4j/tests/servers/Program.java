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
import java.util.regex.Pattern;
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

  /** What a server without TLS says when it is to speak it: newer ones, and older ones. */
  private static final Pattern NO_TLS = Pattern.compile("Failed finding TLS|Bad directive");

  /** Starts one to see what it is, and whether it can do with a TLS port. */
  public static Program of(@Nullable Path executable) {
    Certificates certificates = Certificates.ofThisRun();
    try (LocalRedis redis =
        start(builder(executable), 1, p -> certificates.arguments(p.get(0), certificates.server()))
            .redis()) {
      return new Program(executable, redis.version(), true);
    } catch (LocalRedisException e) {
      if (!NO_TLS.matcher(String.valueOf(e.getMessage())).find()) {
        throw e;
      }
    }
    // To ask it for TLS once it runs is the end of some.
    try (LocalRedis redis = builder(executable).start()) {
      return new Program(executable, redis.version(), false);
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
    for (int attempt = 1; ; attempt++) {
      List<Integer> ports = freePorts(count);
      try {
        return new Started(
            builder.arguments(arguments.apply(ports).toArray(String[]::new)).start(), ports);
      } catch (LocalRedisException e) {
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
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
