/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.micrometer;

import io.lmcache4j.redis.ConnectorListener;
import io.lmcache4j.redis.OperationEvent;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.wire.WireMetrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/**
 * The meters of one connector. Give it to the options as their listener, and let it {@link #watch}
 * the connector once that is open:
 *
 * <pre>{@code
 * ConnectorMeters meters = new ConnectorMeters(registry, Tags.of("cache", "main"));
 * RedisConnector connector =
 *     RedisConnector.open(RedisConnectorOptions.builder(url).listener(meters).build());
 * meters.watch(connector);
 * }</pre>
 *
 * <table>
 * <caption>Meters</caption>
 * <tr><th>name</th><th>kind, unit</th><th>tags</th></tr>
 * <tr><td>lmcache.operations</td><td>timer, from the call to the outcome</td>
 *     <td>operation, result</td></tr>
 * <tr><td>lmcache.payload</td><td>counter, bytes stored and read</td><td>operation</td></tr>
 * <tr><td>lmcache.connections.opened, lmcache.connections.closed</td><td>counters</td><td></td></tr>
 * <tr><td>lmcache.servers.unavailable</td><td>gauge, servers that do not answer</td><td></td></tr>
 * <tr><td>lmcache.in.flight</td><td>gauge, payload bytes</td><td></td></tr>
 * <tr><td>lmcache.waiting</td><td>gauge, operations waiting for the byte budget</td><td></td></tr>
 * <tr><td>lmcache.memory.leases</td><td>gauge, leases that are out</td><td></td></tr>
 * <tr><td>lmcache.memory.leased, lmcache.memory.capacity</td><td>gauges, bytes</td><td></td></tr>
 * <tr><td>lmcache.wire</td><td>counter, payload bytes by how they crossed</td>
 *     <td>direction (in, out), path (direct, copied, drained)</td></tr>
 * </table>
 *
 * <p>Thread-safe. The gauges hold the connector weakly, as Micrometer's do.
 */
public final class ConnectorMeters implements ConnectorListener {

  private static final String BYTES = "bytes";

  private final MeterRegistry registry;
  private final Tags tags;
  private final Counter opened;
  private final Counter closed;
  private final Set<String> unavailable = ConcurrentHashMap.newKeySet();

  /** Found again for each operation, which a registry does slowly. */
  private final Map<Ending, Timer> operations = new ConcurrentHashMap<>();

  private final Map<OperationEvent.Kind, Counter> payload = new ConcurrentHashMap<>();

  private record Ending(OperationEvent.Kind kind, OperationEvent.Result result) {}

  /**
   * Registers what needs no connector.
   *
   * @param registry where the meters go
   * @param tags on every meter, to tell the connectors of one process apart
   */
  public ConnectorMeters(MeterRegistry registry, Iterable<Tag> tags) {
    this.registry = registry;
    this.tags = Tags.of(tags);
    this.opened =
        Counter.builder("lmcache.connections.opened")
            .description("Connections that came up, the first time or again")
            .tags(this.tags)
            .register(registry);
    this.closed =
        Counter.builder("lmcache.connections.closed")
            .description("Connections that were lost, or closed with the connector")
            .tags(this.tags)
            .register(registry);
    Gauge.builder("lmcache.servers.unavailable", unavailable, Set::size)
        .description("Servers that do not answer, so that operations on them fail at once")
        .tags(this.tags)
        .strongReference(true)
        .register(registry);
  }

  /**
   * Registers what is read from the connector itself.
   *
   * @param connector an open connector
   */
  public void watch(RedisConnector connector) {
    gauge("in.flight", BYTES, "Payload bytes in flight", connector, RedisConnector::inFlightBytes);
    gauge(
        "waiting",
        "operations",
        "Puts and gets that wait for the byte budget",
        connector,
        RedisConnector::waitingOperations);
    gauge("memory.leases", "leases", "Leases that are out", connector, c -> c.memory().leases());
    gauge("memory.leased", BYTES, "Bytes leased", connector, c -> c.memory().leasedBytes());
    gauge(
        "memory.capacity",
        BYTES,
        "Bytes that can be leased",
        connector,
        c -> c.memory().capacityBytes());
    wire("in", "direct", connector, WireMetrics::directInBytes);
    wire("in", "copied", connector, WireMetrics::copiedInBytes);
    wire("in", "drained", connector, WireMetrics::drainedBytes);
    wire("out", "direct", connector, WireMetrics::directOutBytes);
    wire("out", "copied", connector, WireMetrics::copiedOutBytes);
  }

  private void gauge(
      String name,
      String unit,
      String description,
      RedisConnector connector,
      ToDoubleFunction<RedisConnector> value) {
    Gauge.builder("lmcache." + name, connector, value)
        .description(description)
        .baseUnit(unit)
        .tags(tags)
        .register(registry);
  }

  private void wire(
      String direction, String path, RedisConnector connector, ToLongFunction<WireMetrics> bytes) {
    FunctionCounter.builder("lmcache.wire", connector, c -> bytes.applyAsLong(c.metrics()))
        .description("Payload bytes by how they crossed between socket and memory")
        .baseUnit(BYTES)
        .tags(tags)
        .tags("direction", direction, "path", path)
        .register(registry);
  }

  @Override
  public void operationEnded(OperationEvent event) {
    operations
        .computeIfAbsent(new Ending(event.kind(), event.result()), this::timer)
        .record(event.elapsed());
    if (event.bytes() > 0) {
      payload.computeIfAbsent(event.kind(), this::counter).increment((double) event.bytes());
    }
  }

  private Timer timer(Ending ending) {
    return Timer.builder("lmcache.operations")
        .description("Operations, from the call to the outcome")
        .tags(tags)
        .tags("operation", word(ending.kind()), "result", word(ending.result()))
        .register(registry);
  }

  private Counter counter(OperationEvent.Kind kind) {
    return Counter.builder("lmcache.payload")
        .description("Payload bytes stored and read")
        .baseUnit(BYTES)
        .tags(tags)
        .tags("operation", word(kind))
        .register(registry);
  }

  private static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public void connected(String address) {
    opened.increment();
  }

  @Override
  public void disconnected(String address) {
    closed.increment();
  }

  @Override
  public void unavailable(String node, Duration silence) {
    unavailable.add(node);
  }

  @Override
  public void available(String node, Duration silence) {
    unavailable.remove(node);
  }
}
