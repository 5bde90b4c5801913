/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.Survey;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Examines a cache as it is, and mends what can be mended.
 *
 * <p>It walks through the key space once, page after page, without loading a payload; what it keeps
 * does not grow with the number of keys. Both methods work on the caller's thread, which may be
 * interrupted. The connector stays the caller's.
 */
public final class Doctor {

  private final RedisConnector connector;
  private final DoctorOptions options;

  /** Is told how far a walk has come, on the thread that walks. */
  @FunctionalInterface
  public interface Progress {

    /**
     * Another page has been looked at.
     *
     * @param keys Redis keys so far
     * @param ofAbout how many there are, about; -1 if the server does not tell
     */
    void walked(long keys, long ofAbout);
  }

  /**
   * Prepares.
   *
   * @param connector to the cache
   * @param options how to go about it
   */
  public Doctor(RedisConnector connector, DoctorOptions options) {
    this.connector = connector;
    this.options = options;
  }

  /**
   * Examines the cache; changes nothing.
   *
   * @param progress is told how far it has come
   * @return what was found
   * @throws io.lmcache4j.redis.RedisConnectorException if the server does not answer
   * @throws InterruptedException if the thread is interrupted
   */
  public Diagnosis examine(Progress progress) throws InterruptedException {
    Instant start = Instant.now();
    long startNanos = System.nanoTime();
    Survey survey = connector.survey();
    Survey.Servers servers = survey.servers();
    Walk walk = new Walk(survey, options, servers.keys());
    walk.through(page -> {}, progress);
    return new Diagnosis(
        start.truncatedTo(ChronoUnit.SECONDS).toString(),
        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos),
        connector.info().url(),
        new Diagnosis.Server(
            connector.info().server(),
            servers.masters(),
            servers.usedBytes(),
            servers.maxBytes(),
            servers.policy(),
            servers.evictedKeys()),
        walk.keys(),
        0,
        0,
        0,
        List.of(),
        new Diagnosis.Ages(0, List.of(), null),
        List.of(),
        List.of());
  }
}
