/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateListener;
import io.lmcache4j.redis.OperationEvent.Kind;
import io.lmcache4j.redis.OperationEvent.Result;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the caller's listener, which cannot break anything. */
final class Listening implements RedisConnectionStateListener {

  private static final Logger log = LoggerFactory.getLogger(Listening.class);

  private final ConnectorListener listener;

  /** Lettuce tells an address of connections that come, and none of those that go. */
  private final Map<RedisChannelHandler<?, ?>, String> addresses = new ConcurrentHashMap<>();

  Listening(ConnectorListener listener) {
    this.listener = listener;
  }

  @Override
  public void onRedisConnected(RedisChannelHandler<?, ?> connection, SocketAddress address) {
    String text = String.valueOf(address);
    addresses.put(connection, text);
    tell(l -> l.connected(text));
  }

  @Override
  public void onRedisDisconnected(RedisChannelHandler<?, ?> connection) {
    String text = addresses.remove(connection);
    if (text != null) {
      tell(l -> l.disconnected(text));
    }
  }

  void unavailable(String node, Duration silence) {
    tell(l -> l.unavailable(node, silence));
  }

  void available(String node, Duration silence) {
    tell(l -> l.available(node, silence));
  }

  /** An operation has ended; {@code startedAt} is of {@link System#nanoTime}. */
  void ended(Kind kind, Result result, long bytes, long startedAt) {
    tell(
        l ->
            l.operationEnded(
                new OperationEvent(
                    kind, result, bytes, Duration.ofNanos(System.nanoTime() - startedAt))));
  }

  /** What a failure counts as. */
  static Result resultOf(@Nullable Throwable failure) {
    if (failure == null) {
      return Result.OK;
    }
    Throwable cause = Failures.root(failure);
    if (cause instanceof CancellationException) {
      return Result.CANCELLED;
    }
    if (cause instanceof RequestTimeoutException) {
      return Result.TIMEOUT;
    }
    return cause instanceof ServerUnavailableException ? Result.UNAVAILABLE : Result.FAILED;
  }

  private void tell(Consumer<ConnectorListener> event) {
    try {
      event.accept(listener);
    } catch (RuntimeException e) {
      log.warn("a listener failed", e);
    }
  }
}
