/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One server as operations see it: room for payload bytes in flight, and whether it answers. */
final class ServerNode implements Heartbeat.Peer {

  private static final Logger log = LoggerFactory.getLogger(ServerNode.class);

  private final String name;
  private final ServerNodes.Directory directory;
  private final ServerNodes.Watcher watcher;
  private final ByteBudget budget;
  private final Heartbeat heartbeat;

  ServerNode(
      String name,
      ServerNodes.Directory directory,
      ServerNodes.Watcher watcher,
      RedisConnectorOptions options) {
    this.name = name;
    this.directory = directory;
    this.watcher = watcher;
    this.budget = new ByteBudget(options.inFlightBytes());
    this.heartbeat = new Heartbeat(this, options.unavailableAfter(), options.timeout());
  }

  String name() {
    return name;
  }

  ByteBudget budget() {
    return budget;
  }

  Heartbeat heartbeat() {
    return heartbeat;
  }

  Duration silence() {
    return heartbeat.silence(System.nanoTime());
  }

  boolean isDown() {
    return heartbeat.isDown();
  }

  /** What a call that does not wait for this server fails with. */
  ServerUnavailableException unavailable(String operation) {
    return new ServerUnavailableException(operation, name, silence());
  }

  @Override
  public CompletionStage<?> ping() {
    return directory.ping(name);
  }

  @Override
  public CompletionStage<?> probe() {
    return directory.probe(name);
  }

  @Override
  public boolean isAwaited() {
    return budget.inFlightBytes() > 0 || budget.waiting() > 0 || watcher.isAwaited();
  }

  @Override
  public void fellSilent(Duration silence) {
    log.warn(
        "{} has not answered for {} ms: calls fail at once until it does",
        name,
        silence.toMillis());
    watcher.unavailable(this, silence);
  }

  @Override
  public void answeredAgain(Duration silence) {
    log.info("{} answers again, after {} ms", name, silence.toMillis());
    watcher.available(this, silence);
  }

  @Override
  public void cut() {
    log.warn("the connections to {} are made anew", name);
    directory.cut(name);
  }

  @Override
  public String toString() {
    return name;
  }
}
