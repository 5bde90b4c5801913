/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import static org.awaitility.Awaitility.await;

import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.IntUnaryOperator;
import java.util.function.UnaryOperator;

/** A connector on one of the two paths, and those who use it. */
final class Caller implements AutoCloseable {

  private static final long CAPACITY = 1L << 30;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final RedisConnectorOptions.Path path;
  private final DirectMemory memory;
  private final RedisConnector connector;
  private final Load load;

  private Caller(
      RedisConnectorOptions.Path path,
      RedisConnectorOptions.Builder options,
      int keys,
      IntUnaryOperator lengths) {
    this.path = path;
    this.memory = DirectMemory.create(CAPACITY);
    this.connector =
        RedisConnector.open(options.path(path).memory(memory).clientName(name(path)).build());
    this.load = new Load(connector, memory, name(path), keys, lengths);
  }

  /** One for each path. */
  static List<Caller> ofBothPaths(
      String url,
      UnaryOperator<RedisConnectorOptions.Builder> options,
      int keys,
      IntUnaryOperator lengths) {
    List<Caller> callers = new ArrayList<>();
    for (RedisConnectorOptions.Path path : RedisConnectorOptions.Path.values()) {
      callers.add(
          new Caller(path, options.apply(RedisConnectorOptions.builder(url)), keys, lengths));
    }
    return callers;
  }

  private static String name(RedisConnectorOptions.Path path) {
    return path == RedisConnectorOptions.Path.AUTO ? "zero-copy" : "copying";
  }

  /** The path, also the connections' name. */
  String name() {
    return name(path);
  }

  RedisConnector connector() {
    return connector;
  }

  DirectMemory memory() {
    return memory;
  }

  Load load() {
    return load;
  }

  Tally tally() {
    return load.tally();
  }

  /** How many connections this connector has when all is well. */
  long connections() {
    return 1L + connector.info().dataConnections();
  }

  /** Waits until a put and a get that started since the mark have succeeded. */
  Duration recovered(Duration within) {
    await("recovery of " + name())
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(5))
        .atMost(within)
        .until(() -> tally().recovered() != null);
    Duration recovered = tally().recovered();
    if (recovered == null) {
      throw new IllegalStateException("recovered, and then not");
    }
    return recovered;
  }

  /** Stops the load and waits until nothing of it is left. */
  void quiet() {
    load.close();
    soon(() -> connector.inFlightBytes() == 0);
    soon(() -> memory.leases() == 0);
  }

  static void soon(Callable<Boolean> condition) {
    await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(5))
        .atMost(PATIENCE)
        .until(condition);
  }

  @Override
  public void close() {
    load.close();
    connector.close();
    memory.close();
  }
}
