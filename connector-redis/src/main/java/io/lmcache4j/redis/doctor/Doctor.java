/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.StoredName;
import io.lmcache4j.redis.Survey;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
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
    CacheState state = new CacheState(options.examples());
    walk.through(page -> look(survey, page, state), progress);
    Diagnosis.Server server =
        new Diagnosis.Server(
            connector.info().server(),
            servers.masters(),
            servers.usedBytes(),
            servers.maxBytes(),
            servers.policy(),
            servers.evictedKeys());
    return new Diagnosis(
        start.truncatedTo(ChronoUnit.SECONDS).toString(),
        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos),
        connector.info().url(),
        server,
        walk.keys(),
        state.otherKeys(),
        state.entries(),
        state.bytes(),
        Sizes.of(state),
        state.ages().result(),
        Problems.of(state, survey.readersForm(), connector.info().url(), server),
        notes(state, survey, server));
  }

  /**
   * Removes what no reader can ever use, and nothing else: what an examination counts as {@link
   * ProblemKind#isRemovable}, of every model or that of the options. It walks once more; what it
   * finds is left alone for the options' grace, looked at again, and removed only if it is as it
   * was and nobody used it meanwhile, so that a put under way is not disturbed.
   *
   * @param progress is told how far the walk has come
   * @return what was removed
   * @throws io.lmcache4j.redis.RedisConnectorException if the server does not answer, or refuses
   *     scripts; what was removed until then stays removed
   * @throws InterruptedException if the thread is interrupted
   */
  public Mending mend(Progress progress) throws InterruptedException {
    Survey survey = connector.survey();
    Walk walk = new Walk(survey, options, survey.servers().keys());
    Mender mender = new Mender(survey, options);
    walk.through(mender::visit, progress);
    return mender.finish();
  }

  private void look(Survey survey, List<byte[]> redisKeys, CacheState state) {
    List<Look> looks = new ArrayList<>(redisKeys.size());
    for (byte[] redisKey : redisKeys) {
      StoredName name = survey.name(redisKey);
      if (name == null) {
        state.otherKey();
      } else if (options.model() == null || options.model().equals(name.key().modelName())) {
        // Before anything is asked: chunks of one page know of each other's worlds and layers.
        Siblings.meet(name, state);
        looks.add(Look.at(name, options.grace()));
      }
    }
    Survey.Trip trip = survey.trip();
    looks.forEach(look -> look.ask(trip, state));
    trip.go();
    Survey.Trip second = survey.trip();
    looks.forEach(look -> look.askMore(second));
    second.go();
    looks.forEach(look -> look.conclude(state));
  }

  private List<String> notes(CacheState state, Survey survey, Diagnosis.Server server) {
    List<String> notes = new ArrayList<>();
    if (state.youngHalves() > 0) {
      notes.add(
          state.youngHalves()
              + " halves of chunks were written less than "
              + options.grace().toSeconds()
              + " s ago and may be puts under way: they count as no problem");
    }
    if (survey.leavesTraces()) {
      notes.add(
          "this server has no CLIENT NO-TOUCH (Redis 7.2): it takes the reading of lengths and"
              + " headers for use, so ages begin anew with each examination");
    }
    if (server.policy() == null) {
      notes.add(
          "the server does not tell its maxmemory-policy: whether chunks without a time to live are"
              + " a problem is not known");
    }
    if (state.untold() > 0) {
      notes.add(
          state.untold()
              + " entries are of models or workers beyond those that are told apart, and are in the"
              + " totals only");
    }
    return notes;
  }
}
