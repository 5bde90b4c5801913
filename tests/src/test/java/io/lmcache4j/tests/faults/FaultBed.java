/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import io.lmcache4j.cli.server.LocalRedis;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;

/** A server behind a {@link FaultProxy}, with a connection beside it to give it orders. */
final class FaultBed implements AutoCloseable {

  private static final int ORDER_TIMEOUT_MILLIS = 30_000;
  private static final String LOOPBACK = "127.0.0.1";

  private final String[] arguments;
  private final FaultProxy proxy;
  private LocalRedis redis;
  private Jedis orders;

  /** Starts a server. */
  @SuppressWarnings("MustBeClosed")
  FaultBed(String... arguments) {
    this.arguments = arguments;
    this.redis = start();
    this.orders = connect();
    this.proxy = new FaultProxy(redis.port());
  }

  private LocalRedis start() {
    return LocalRedis.builder().embedded().arguments(arguments).start();
  }

  private Jedis connect() {
    return new Jedis(LOOPBACK, redis.port(), ORDER_TIMEOUT_MILLIS);
  }

  FaultProxy proxy() {
    return proxy;
  }

  /** Where connectors connect to. */
  String url() {
    return "redis://" + LOOPBACK + ":" + proxy.port();
  }

  /** Name and version of the server. */
  String version() {
    return redis.version();
  }

  /** Gives an order and waits for the answer. */
  @Nullable Object order(String command, String... arguments) {
    return orders.sendCommand(() -> command.getBytes(StandardCharsets.UTF_8), arguments);
  }

  void set(String setting, String value) {
    order("CONFIG", "SET", setting, value);
  }

  /** The text that an order is answered with. */
  String text(String command, String... arguments) {
    return new String(
        (byte[]) Objects.requireNonNull(order(command, arguments)), StandardCharsets.UTF_8);
  }

  /** Every key. */
  List<String> keys() {
    List<String> keys = new ArrayList<>();
    for (Object key : (List<?>) Objects.requireNonNull(order("KEYS", "*"))) {
      keys.add(new String((byte[]) key, StandardCharsets.UTF_8));
    }
    return keys;
  }

  /** Closes every connection of clients but that of the orders. */
  void kickOut() {
    order("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  }

  /** How many connections the server has with a client of this name. */
  long connections(String clientName) {
    return text("CLIENT", "LIST")
        .lines()
        .filter(line -> line.contains(" name=" + clientName + " "))
        .count();
  }

  void signal(String signal) {
    Signals.send(redis.pid(), signal);
  }

  /** {@code kill -9}, and the port with it. */
  void kill() {
    signal("-KILL");
    proxy.hangUp();
  }

  /** Starts an empty server in the place of one that was killed. */
  void startAnew() {
    orders.close();
    redis.close();
    redis = start();
    orders = connect();
    proxy.leadTo(redis.port());
    proxy.listen();
  }

  @Override
  public void close() {
    proxy.close();
    orders.close();
    redis.close();
  }
}
