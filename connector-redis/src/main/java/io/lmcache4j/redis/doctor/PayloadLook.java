/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.redis.StoredName;
import io.lmcache4j.redis.StoredName.Part;
import io.lmcache4j.redis.Survey;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A payload of a layout of two keys. All but the orphans are looked at when their metadata comes
 * by.
 *
 * <p>Nothing that is asked here counts as use, on any server: an orphan keeps the age by which it
 * is told from a put under way.
 */
final class PayloadLook extends Look {

  private final Duration grace;
  private @Nullable CompletableFuture<Long> metadata;
  private @Nullable CompletableFuture<String> type;
  private @Nullable CompletableFuture<Long> idle;
  private @Nullable CompletableFuture<Long> memory;

  PayloadLook(StoredName name, Duration grace) {
    super(name);
    this.grace = grace;
  }

  @Override
  void ask(Survey.Trip trip, CacheState state) {
    metadata = trip.exists(key(Part.METADATA));
  }

  @Override
  void askMore(Survey.Trip trip) {
    // What may be a whole chunk of another key needs no metadata.
    if (metadata != null && metadata.join() == 0 && !name.isAmbiguous()) {
      type = trip.type(key(Part.PAYLOAD));
      idle = trip.idleSeconds(key(Part.PAYLOAD));
      memory = trip.memoryBytes(key(Part.PAYLOAD));
    }
  }

  @Override
  void conclude(CacheState state) {
    if (type == null || idle == null || memory == null || type.join().equals("none")) {
      return;
    }
    if (!type.join().equals("string")) {
      state.problem(ProblemKind.WRONG_TYPE, name, 0, "the payload is a " + type.join());
    } else if (isYoung(idle.join(), grace)) {
      state.young();
    } else {
      state.problem(ProblemKind.ORPHAN_PAYLOAD, name, Math.max(0, memory.join()), "");
    }
  }
}
