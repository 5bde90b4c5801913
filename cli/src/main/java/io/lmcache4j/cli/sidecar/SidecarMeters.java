/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.lmcache4j.redis.reshard.ReshardOutcome;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * What the proxy counts; docs/DEPLOY.md lists it. Every meter is there from the start, so that a
 * rate of it is 0 and not absent.
 */
final class SidecarMeters {

  private static final String BYTES = "bytes";

  private final MeterRegistry registry;
  private final Counter arrived;
  private final Counter missing;
  private final Counter read;
  private final Counter written;

  SidecarMeters(MeterRegistry registry) {
    this.registry = registry;
    this.arrived = chunks("arrived");
    this.missing = chunks("missing");
    this.read = bytes("read");
    this.written = bytes("written");
    for (String result : new String[] {"written", "present", "incomplete", "failed"}) {
      resharded(result);
    }
    for (String result : new String[] {"ok", "refused", "failed", "timeout"}) {
      prefill(result);
    }
    for (String result : new String[] {"complete", "incomplete", "failed"}) {
      handover(result);
    }
  }

  private Counter chunks(String result) {
    return Counter.builder("lmcache.sidecar.chunks")
        .description("Chunks of prompts that all producers had in time, and that they had not")
        .tag("result", result)
        .register(registry);
  }

  private Counter bytes(String direction) {
    return Counter.builder("lmcache.sidecar.reshard.payload")
        .description("Payload bytes that were read and written to reshard")
        .baseUnit(BYTES)
        .tag("direction", direction)
        .register(registry);
  }

  private Counter resharded(String result) {
    return Counter.builder("lmcache.sidecar.resharded")
        .description("Chunks by what became of them for the consumers' world")
        .tag("result", result)
        .register(registry);
  }

  private Timer prefill(String result) {
    return timer("lmcache.sidecar.prefill", "Prefill requests, to the end of the answer", result);
  }

  private Timer handover(String result) {
    return timer(
        "lmcache.sidecar.handover",
        "From the end of prefill until the chunks are there for decode, or are given up",
        result);
  }

  private Timer timer(String name, String description, String result) {
    return Timer.builder(name).description(description).tag("result", result).register(registry);
  }

  /** Requests under way, and the bytes of bodies that are held. */
  void watch(Supplier<Number> active, Supplier<Number> bodies) {
    Gauge.builder("lmcache.sidecar.active", active)
        .description("Requests under way")
        .register(registry);
    Gauge.builder("lmcache.sidecar.bodies", bodies)
        .description("Request bodies in memory, those that are still arriving too")
        .baseUnit(BYTES)
        .register(registry);
  }

  void prefilled(String result, long nanos) {
    prefill(result).record(nanos, TimeUnit.NANOSECONDS);
  }

  void handedOver(String result, long nanos) {
    handover(result).record(nanos, TimeUnit.NANOSECONDS);
  }

  /** A request that goes to decode without a prefill, or without waiting for its chunks. */
  void skipped(String reason) {
    Counter.builder("lmcache.sidecar.skipped")
        .description("Requests that decode was sent without prefill, or without waiting for chunks")
        .tag("reason", reason)
        .register(registry)
        .increment();
  }

  void arrived(int chunks, int notArrived) {
    arrived.increment(chunks);
    missing.increment(notArrived);
  }

  void resharded(ReshardOutcome outcome) {
    if (outcome instanceof ReshardOutcome.Written done) {
      read.increment((double) done.readBytes());
      written.increment((double) done.writtenBytes());
      resharded("written").increment();
    } else if (outcome instanceof ReshardOutcome.Present) {
      resharded("present").increment();
    } else if (outcome instanceof ReshardOutcome.Incomplete) {
      resharded("incomplete").increment();
    } else {
      resharded("failed").increment();
    }
  }

  /** An answer that was given, or a request whose client hung up before. */
  void answered(String route, String status) {
    Counter.builder("lmcache.sidecar.requests")
        .description("Requests of clients by the status of their answer")
        .tag("route", route)
        .tag("status", status)
        .register(registry)
        .increment();
  }
}
