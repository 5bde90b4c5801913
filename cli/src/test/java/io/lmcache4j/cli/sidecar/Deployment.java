/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.reshard.Resharding;
import io.lmcache4j.core.reshard.World;
import io.lmcache4j.micrometer.ConnectorMeters;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A real Redis, a producer, a consumer, and the sidecar between them. */
final class Deployment implements AutoCloseable {

  private static final int MAX_BODY = 1 << 16;
  private static final int MAX_REQUESTS = 4;

  final LocalRedis redis = LocalRedis.start();
  final RedisConnector workers = RedisConnector.open(redis.url());
  final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  final RedisConnector connector;
  final FakeVllm producer;
  final FakeVllm consumer;
  final Sidecar sidecar;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  /** Two worlds, with the sidecar's settings changed as wanted. */
  Deployment(int from, int to, UnaryOperator<SidecarSettings> change) throws IOException {
    this(from, to, change, 0, 0, 0);
  }

  private Deployment(
      int from,
      int to,
      UnaryOperator<SidecarSettings> change,
      int port,
      int producerPort,
      int consumerPort)
      throws IOException {
    ConnectorMeters meters = new ConnectorMeters(registry, Tags.empty());
    connector =
        RedisConnector.open(
            RedisConnectorOptions.builder(redis.url())
                .memoryCapacity(16 << 20)
                .listener(meters)
                .build());
    meters.watch(connector);
    producer = new FakeVllm(workers, FakeVllm.Role.PRODUCER, from, producerPort);
    consumer = new FakeVllm(workers, FakeVllm.Role.CONSUMER, to, consumerPort);
    sidecar =
        Sidecar.start(
            change.apply(settings(port, producer.url(), consumer.url(), from, to)),
            connector,
            registry,
            Diagnoses.none());
  }

  Deployment(int from, int to) throws IOException {
    this(from, to, UnaryOperator.identity());
  }

  /** The ports that {@code deploy/up} gives: the proxy's, and 100 and 200 behind it. */
  Deployment(int from, int to, int port) throws IOException {
    this(from, to, UnaryOperator.identity(), port, port + 100, port + 200);
  }

  private static SidecarSettings settings(int port, URI producer, URI consumer, int from, int to) {
    return new SidecarSettings(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
        List.of(producer),
        List.of(consumer),
        FakeModel.database(from),
        from == to
            ? null
            : Resharding.between(World.of(FakeModel.WHOLE, from), World.of(FakeModel.WHOLE, to)),
        MAX_BODY,
        2 * MAX_BODY,
        MAX_REQUESTS,
        // Longer than any test waits: what ends earlier was ended.
        Duration.ofSeconds(90),
        Duration.ofSeconds(10),
        Duration.ofSeconds(20),
        Duration.ofSeconds(90));
  }

  static SidecarSettings with(
      SidecarSettings s, List<URI> prefill, List<URI> decode, @Nullable Duration store) {
    return new SidecarSettings(
        s.listen(),
        prefill,
        decode,
        s.chunks(),
        s.resharding(),
        s.maxBodyBytes(),
        s.bodyMemoryBytes(),
        s.maxRequests(),
        s.prefillTimeout(),
        store == null ? s.storeTimeout() : store,
        s.handoverTimeout(),
        s.decodeTimeout());
  }

  URI url(String target) {
    return URI.create("http://127.0.0.1:" + sidecar.address().getPort() + target);
  }

  HttpResponse<String> post(String target, String json, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(url(target))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  HttpResponse<String> get(String target) throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(url(target)).build(), HttpResponse.BodyHandlers.ofString());
  }

  HttpClient client() {
    return client;
  }

  /** A counter, or the number of a timer's events; 0 if there is none. */
  double count(String name, String... tags) {
    return registry.getMeters().stream()
        .filter(m -> m.getId().getName().equals(name))
        .filter(m -> m.getId().getTags().containsAll(Tags.of(tags).stream().toList()))
        .mapToDouble(m -> m.measure().iterator().next().getValue())
        .sum();
  }

  @Override
  public void close() {
    sidecar.close();
    producer.close();
    consumer.close();
    connector.close();
    workers.close();
    registry.close();
    redis.close();
  }
}
