/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.redis.doctor.Diagnosis;
import io.lmcache4j.redis.doctor.DiagnosisJson;
import io.lmcache4j.redis.doctor.Doctor;
import io.lmcache4j.redis.doctor.ProblemKind;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Examines the cache again and again, on a thread of its own, and keeps what was found last: as
 * JSON, and as gauges.
 */
public final class Diagnoses implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Diagnoses.class);

  private @Nullable Thread thread;
  private volatile @Nullable Diagnosis last;

  private Diagnoses() {}

  /**
   * None at all.
   *
   * @return diagnoses of which there is never a last one
   */
  public static Diagnoses none() {
    return new Diagnoses();
  }

  /**
   * Begins to examine, at once and then again some time after each end.
   *
   * @param pause between two examinations
   * @param doctor who examines; the connector must outlive this
   * @param registry where the gauges go
   * @return the diagnoses, to be closed by the caller
   */
  public static Diagnoses every(Duration pause, Doctor doctor, MeterRegistry registry) {
    MultiGauge payload =
        MultiGauge.builder("lmcache.doctor.payload")
            .description("Payload bytes of each model, world and worker")
            .baseUnit("bytes")
            .register(registry);
    Counter failed =
        Counter.builder("lmcache.doctor.failures")
            .description("Examinations that could not be finished")
            .register(registry);
    Diagnoses diagnoses = new Diagnoses();
    diagnoses.register(registry);
    Thread thread =
        new Thread(
            () -> diagnoses.examineForEver(doctor, pause.toMillis(), payload, failed),
            "sidecar-doctor");
    diagnoses.thread = thread;
    thread.setDaemon(true);
    thread.start();
    return diagnoses;
  }

  private void register(MeterRegistry registry) {
    for (ProblemKind kind : ProblemKind.values()) {
      gauge(registry, "problems", "Chunks or keys with a problem", problems(kind), countOf(kind));
    }
    gauge(registry, "keys", "Redis keys", Tags.empty(), Diagnosis::keys);
    gauge(registry, "chunks", "Stored chunks and layers", Tags.empty(), Diagnosis::chunks);
    gauge(
        registry,
        "elapsed.seconds",
        "How long the last examination took",
        Tags.empty(),
        d -> d.elapsedMillis() / (double) TimeUnit.SECONDS.toMillis(1));
  }

  private static Tags problems(ProblemKind kind) {
    return Tags.of("kind", word(kind), "severity", word(kind.severity()));
  }

  private static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private static ToDoubleFunction<Diagnosis> countOf(ProblemKind kind) {
    return d -> d.problems().stream().filter(p -> p.kind() == kind).mapToLong(p -> p.count()).sum();
  }

  /** NaN until there is a first diagnosis: 0 would say that nothing is wrong. */
  private void gauge(
      MeterRegistry registry,
      String name,
      String description,
      Tags tags,
      ToDoubleFunction<Diagnosis> value) {
    Gauge.builder(
            "lmcache.doctor." + name,
            this,
            all -> {
              Diagnosis diagnosis = all.last;
              return diagnosis == null ? Double.NaN : value.applyAsDouble(diagnosis);
            })
        .description(description)
        .tags(tags)
        .register(registry);
  }

  private void examineForEver(Doctor doctor, long pauseMillis, MultiGauge payload, Counter failed) {
    try {
      while (true) {
        try {
          Diagnosis found = doctor.examine((keys, ofAbout) -> {});
          payload.register(rows(found), true);
          last = found;
        } catch (LmcacheException e) {
          failed.increment();
          log.warn("the cache could not be examined: {}", e.getMessage());
        } catch (RuntimeException e) {
          // A defect; the next examination may get round it, and this thread must not end in
          // silence.
          failed.increment();
          log.error("the cache could not be examined", e);
        }
        TimeUnit.MILLISECONDS.sleep(pauseMillis);
      }
    } catch (InterruptedException e) {
      // Closed: nothing is to be done any more.
      return;
    }
  }

  private static List<Row<?>> rows(Diagnosis found) {
    List<Row<?>> rows = new ArrayList<>();
    for (Diagnosis.Model model : found.models()) {
      for (Diagnosis.World world : model.worlds()) {
        for (Diagnosis.Rank rank : world.ranks()) {
          rows.add(
              Row.of(
                  Tags.of(
                      "model",
                      model.name(),
                      "world",
                      Integer.toString(world.size()),
                      "worker",
                      Integer.toString(rank.worker())),
                  rank.bytes()));
        }
      }
    }
    return rows;
  }

  /** The last diagnosis as JSON in UTF-8, or null if there is none yet. */
  byte @Nullable [] last() {
    Diagnosis diagnosis = last;
    return diagnosis == null
        ? null
        : DiagnosisJson.line(diagnosis).getBytes(StandardCharsets.UTF_8);
  }

  /** Ends the examination under way, and waits for its thread. */
  @Override
  public void close() {
    Thread examining = thread;
    if (examining == null) {
      return;
    }
    examining.interrupt();
    try {
      examining.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
