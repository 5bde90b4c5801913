/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.redis.StoredName;
import io.lmcache4j.redis.Survey;
import io.lmcache4j.redis.SyncConnector;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** Collects what is to be removed, gives it its grace, and removes what has not changed. */
final class Mender {

  /** What waits for its grace at one time, with its names in memory. */
  private static final int WAITING = 10_000;

  /** Removals that are sent together. */
  private static final int AT_ONCE = 128;

  private final Survey survey;
  private final DoctorOptions options;
  private final List<Rubbish> waiting = new ArrayList<>();
  private final Map<ProblemKind, Mending.Removed> removed = new EnumMap<>(ProblemKind.class);
  private long spared;

  /**
   * What no reader can use, as it was when it was first looked at.
   *
   * @param kind why
   * @param bytes payload bytes
   * @param seen its two keys, the metadata first
   */
  record Rubbish(ProblemKind kind, long bytes, List<Survey.Seen> seen) {}

  Mender(Survey survey, DoctorOptions options) {
    this.survey = survey;
    this.options = options;
  }

  void visit(List<byte[]> redisKeys) throws InterruptedException {
    List<RubbishLook> looks = new ArrayList<>();
    Survey.Trip trip = survey.trip();
    for (byte[] redisKey : redisKeys) {
      StoredName name = survey.name(redisKey);
      if (name != null
          && name.form().isPair()
          // It may be a whole chunk of another key: in doubt nothing is removed.
          && !name.isAmbiguous()
          && (options.model() == null || options.model().equals(name.key().modelName()))) {
        looks.add(new RubbishLook(name, trip));
      }
    }
    trip.go();
    Survey.Trip second = survey.trip();
    looks.forEach(look -> look.askMore(second));
    second.go();
    for (RubbishLook look : looks) {
      Rubbish rubbish = look.rubbish();
      if (rubbish != null) {
        waiting.add(rubbish);
      }
    }
    if (waiting.size() >= WAITING) {
      remove();
    }
  }

  Mending finish() throws InterruptedException {
    remove();
    return new Mending(List.copyOf(removed.values()), spared);
  }

  private void remove() throws InterruptedException {
    if (waiting.isEmpty()) {
      return;
    }
    TimeUnit.NANOSECONDS.sleep(options.grace().toNanos());
    // The server's clock for idle times has seconds, and may be one behind.
    long idleSeconds = Math.max(0, options.grace().toSeconds() - 1);
    for (int from = 0; from < waiting.size(); from += AT_ONCE) {
      List<Rubbish> some = waiting.subList(from, Math.min(waiting.size(), from + AT_ONCE));
      List<CompletionStage<Boolean>> removals = new ArrayList<>();
      for (Rubbish rubbish : some) {
        // Readers use an unreadable chunk again and again; that its header and length are the same
        // is enough, since a put changes one of them.
        long idle = rubbish.kind() == ProblemKind.UNREADABLE ? 0 : idleSeconds;
        removals.add(survey.removeUnchanged(rubbish.seen(), idle));
      }
      for (int i = 0; i < some.size(); i++) {
        count(some.get(i), SyncConnector.await(removals.get(i)));
      }
    }
    waiting.clear();
  }

  private void count(Rubbish rubbish, boolean wasRemoved) {
    if (wasRemoved) {
      removed.merge(
          rubbish.kind(),
          new Mending.Removed(rubbish.kind(), 1, rubbish.bytes()),
          (a, b) -> new Mending.Removed(a.kind(), a.count() + 1, a.bytes() + b.bytes()));
    } else {
      spared++;
    }
  }
}
