/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.lmcache4j.redis.wire.WireMetrics;
import io.netty.util.Timer;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** What the operations of one connector share. */
final class ConnectorCore implements ServerNodes.Watcher {

  /** What a get reserves before any payload has been seen: a chunk of an 8B model. */
  private static final long FIRST_GUESS_BYTES = 32L << 20;

  private final RedisConnectorOptions options;
  private final RemoteMetadataCodec codec;
  private final WireMetrics metrics;
  private final Timer timer;
  private final Listening listening;
  private final ServerNodes nodes;
  private final List<DataLane> lanes;
  private final boolean keepsOrder;
  private final long ttlMillis;

  private final Set<Operation<?>> inFlight = ConcurrentHashMap.newKeySet();
  private final AtomicInteger calls = new AtomicInteger();
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private volatile boolean closed;
  private volatile long expectedBytes;

  ConnectorCore(
      RedisConnectorOptions options,
      WireMetrics metrics,
      Listening listening,
      ServerNodes.Directory directory,
      Timer timer,
      List<DataLane> lanes,
      boolean keepsOrder) {
    this.options = options;
    this.codec = RemoteMetadataCodec.of(options.lmcacheVersion());
    this.metrics = metrics;
    this.timer = timer;
    this.listening = listening;
    this.nodes = new ServerNodes(directory, options, this);
    this.lanes = List.copyOf(lanes);
    this.keepsOrder = keepsOrder;
    Duration ttl = options.ttl();
    this.ttlMillis = ttl == null ? 0 : ttl.toMillis();
    this.expectedBytes = Math.min(FIRST_GUESS_BYTES, options.inFlightBytes());
  }

  RedisConnectorOptions options() {
    return options;
  }

  RemoteMetadataCodec codec() {
    return codec;
  }

  WireMetrics metrics() {
    return metrics;
  }

  Timer timer() {
    return timer;
  }

  Listening listening() {
    return listening;
  }

  ServerNodes nodes() {
    return nodes;
  }

  /** Time to live of what is put, in milliseconds; 0 for none. */
  long ttlMillis() {
    return ttlMillis;
  }

  /** See {@link Topology#keepsOrder}. */
  boolean keepsOrder() {
    return keepsOrder;
  }

  /**
   * The data connection with the fewest bytes under way, of those that are up: a lost one has none
   * and would draw everything to itself, to fail.
   */
  DataLane leastLoaded() {
    DataLane best = lanes.get(0);
    for (int i = 1; i < lanes.size(); i++) {
      if (lanes.get(i).isBetterThan(best)) {
        best = lanes.get(i);
      }
    }
    return best;
  }

  /**
   * What a get should reserve before its header tells: chunks of one cache are nearly all of one
   * size.
   */
  long expectedBytes() {
    return expectedBytes;
  }

  void observed(long bytes) {
    expectedBytes = bytes;
  }

  /** Counts an operation in; false once the connector is closed. */
  boolean register(Operation<?> operation) {
    inFlight.add(operation);
    if (closed) {
      deregister(operation);
      return false;
    }
    return true;
  }

  void deregister(Operation<?> operation) {
    inFlight.remove(operation);
    drainedIfIdle();
  }

  /**
   * Counts a call on the control connection in.
   *
   * @return false once the connector is closed; otherwise {@link #leaveCall} is owed
   */
  boolean enterCall() {
    calls.incrementAndGet();
    if (closed) {
      leaveCall();
      return false;
    }
    return true;
  }

  void leaveCall() {
    calls.decrementAndGet();
    drainedIfIdle();
  }

  private void drainedIfIdle() {
    if (closed && inFlight.isEmpty() && calls.get() == 0) {
      drained.complete(null);
    }
  }

  int operationsInFlight() {
    return inFlight.size();
  }

  @Override
  public boolean isAwaited() {
    return calls.get() > 0;
  }

  /** What has not been sent to a silent server should not wait for it either. */
  @Override
  public void unavailable(ServerNode node, Duration silence) {
    listening.unavailable(node.name(), silence);
    for (Operation<?> operation : inFlight) {
      if (operation.node == node) {
        operation.abandonIfWaiting(node.unavailable(operation.name));
      }
    }
  }

  @Override
  public void available(ServerNode node, Duration silence) {
    listening.available(node.name(), silence);
  }

  boolean isClosed() {
    return closed;
  }

  /** Refuses further operations and calls; done when the last of those under way has ended. */
  CompletableFuture<Void> drain() {
    closed = true;
    drainedIfIdle();
    return drained;
  }

  /** Ends what is still waited for. */
  void abandonAll() {
    for (Operation<?> operation : inFlight) {
      operation.abandon(new ConnectorClosedException(operation.name));
    }
  }
}
