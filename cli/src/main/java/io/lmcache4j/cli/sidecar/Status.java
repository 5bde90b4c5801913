/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.lmcache4j.redis.ConnectorHealth;
import io.lmcache4j.redis.RedisConnector;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the sidecar tells of itself and the cache. Nothing of it costs a trip to Redis. */
final class Status {

  private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

  private final RedisConnector connector;
  private final PrometheusMeterRegistry registry;
  private final Diagnoses diagnoses;

  Status(RedisConnector connector, PrometheusMeterRegistry registry, Diagnoses diagnoses) {
    this.connector = connector;
    this.registry = registry;
    this.diagnoses = diagnoses;
  }

  /** Answers a request, if it is for one of these. */
  boolean answers(Exchange exchange) {
    switch (exchange.path()) {
      case "/metrics" ->
          exchange.answer(
              HttpResponseStatus.OK,
              PROMETHEUS,
              registry.scrape(PROMETHEUS).getBytes(StandardCharsets.UTF_8));
      case "/health" -> health(exchange);
      case "/doctor" -> doctor(exchange);
      default -> {
        return false;
      }
    }
    return true;
  }

  private void health(Exchange exchange) {
    ConnectorHealth health = connector.health();
    boolean works =
        health.status() == ConnectorHealth.Status.UP
            || health.status() == ConnectorHealth.Status.DEGRADED;
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("status", health.status().name());
    told.put("problems", health.problems());
    Answers.json(
        exchange, works ? HttpResponseStatus.OK : HttpResponseStatus.SERVICE_UNAVAILABLE, told);
  }

  private void doctor(Exchange exchange) {
    byte[] last = diagnoses.last();
    if (last == null) {
      Answers.error(
          exchange,
          HttpResponseStatus.NOT_FOUND,
          "there is no diagnosis yet: the first is under way, or --doctor-every is not set");
    } else {
      exchange.answer(HttpResponseStatus.OK, Answers.JSON, last);
    }
  }
}
