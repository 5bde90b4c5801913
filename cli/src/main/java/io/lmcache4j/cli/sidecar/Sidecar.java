/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.redis.RedisConnector;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The process beside vLLM. It serves
 *
 * <ul>
 *   <li>{@code /metrics}, in Prometheus' text form;
 *   <li>{@code /health}: how the connector stands with Redis, 503 if it is down;
 *   <li>{@code /doctor}: the last diagnosis of the cache;
 *   <li>everything else by the instances of vLLM that the settings name: completions by prefill and
 *       decode, what is left by decode.
 * </ul>
 *
 * <p>It listens from {@link #start} to {@link #close}, which waits for the requests under way.
 */
public final class Sidecar implements AutoCloseable {

  private static final Duration DRAIN_LIMIT = Duration.ofSeconds(8);
  private static final int COPYING_THREADS = 2;
  private static final long THREAD_IDLE_SECONDS = 60;

  private final Front front;
  private final Proxy proxy;
  private final Status status;
  private final boolean proxies;
  private final int maxRequests;
  private final Semaphore room;
  private final ExecutorService waiting;
  private final ExecutorService copying;
  private final SidecarMeters meters;
  private final InetSocketAddress address;

  private Sidecar(
      SidecarSettings settings,
      RedisConnector connector,
      PrometheusMeterRegistry registry,
      Status status) {
    this.status = status;
    this.proxies = !settings.decode().isEmpty();
    this.maxRequests = settings.maxRequests();
    this.room = new Semaphore(maxRequests);
    this.meters = new SidecarMeters(registry);
    Semaphore bodyRoom = new Semaphore(settings.bodyMemoryBytes());
    meters.watch(
        () -> maxRequests - room.availablePermits(),
        () -> settings.bodyMemoryBytes() - bodyRoom.availablePermits());
    // One for each request that waits; twice, since a thread may be on its way back to the pool.
    this.waiting =
        new ThreadPoolExecutor(
            0,
            2 * maxRequests,
            THREAD_IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            new DefaultThreadFactory("sidecar-wait"));
    this.copying =
        Executors.newFixedThreadPool(COPYING_THREADS, new DefaultThreadFactory("sidecar-copy"));
    ChunkedTokenDatabase chunks = settings.chunks();
    this.proxy =
        new Proxy(
            settings,
            new Workers(),
            chunks == null ? null : new Handover(connector, settings, chunks, meters, copying),
            waiting,
            meters);
    Duration longest =
        settings.prefillTimeout().plus(settings.handoverTimeout()).plus(settings.decodeTimeout());
    this.front = new Front(settings.maxBodyBytes(), bodyRoom, longest, this::handle, this::refused);
    this.address = front.listen(settings.listen());
  }

  /**
   * Starts to serve.
   *
   * @param settings what it does
   * @param connector to the cache; stays the caller's
   * @param registry what {@code /metrics} shows; stays the caller's
   * @param diagnoses what {@code /doctor} shows; stays the caller's
   * @return the sidecar, which listens
   */
  public static Sidecar start(
      SidecarSettings settings,
      RedisConnector connector,
      PrometheusMeterRegistry registry,
      Diagnoses diagnoses) {
    return new Sidecar(settings, connector, registry, new Status(connector, registry, diagnoses));
  }

  /**
   * Where it listens.
   *
   * @return the address, with the port that was free if 0 was asked for
   */
  public InetSocketAddress address() {
    return address;
  }

  private void refused(HttpResponseStatus status) {
    meters.answered("refused", status.codeAsText().toString());
  }

  private void handle(Exchange exchange) {
    if (status.answers(exchange)) {
      return;
    }
    if (!proxies) {
      Answers.error(
          exchange, HttpResponseStatus.NOT_FOUND, "known here are /metrics, /health and /doctor");
      return;
    }
    if (!room.tryAcquire()) {
      refused(HttpResponseStatus.SERVICE_UNAVAILABLE);
      Answers.error(
          exchange,
          HttpResponseStatus.SERVICE_UNAVAILABLE,
          "more than " + maxRequests + " requests are under way (--max-requests)");
      return;
    }
    exchange.onOver(room::release);
    // A body of some MiB takes an event loop too long to read.
    waiting.execute(() -> proxy.handle(exchange));
  }

  /** Stops listening, gives the requests under way some seconds, and hangs up on the others. */
  @Override
  public void close() {
    front.stopListening();
    try {
      room.tryAcquire(maxRequests, DRAIN_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    front.close();
    waiting.shutdownNow();
    copying.shutdownNow();
  }
}
