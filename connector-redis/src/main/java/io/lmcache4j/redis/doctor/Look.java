/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.redis.StoredName;
import io.lmcache4j.redis.StoredName.Part;
import io.lmcache4j.redis.Survey;
import java.time.Duration;

/**
 * What is asked about one Redis key that the walk came by, in two trips at most: the second is for
 * what the first made look odd.
 */
abstract class Look {

  final StoredName name;

  Look(StoredName name) {
    this.name = name;
  }

  /** Asks what is always asked. */
  abstract void ask(Survey.Trip trip, CacheState state);

  /** Asks further, with the first answers at hand. */
  abstract void askMore(Survey.Trip trip);

  /** Takes the answers in. */
  abstract void conclude(CacheState state);

  static Look at(StoredName name, Duration grace) {
    return switch (name.part()) {
      case METADATA, WHOLE -> new ChunkLook(name, grace);
      case PAYLOAD -> new PayloadLook(name, grace);
    };
  }

  byte[] key(Part part) {
    return name.redisKey(part);
  }

  /** Whether a key was used so lately that its other half may be on its way. */
  static boolean isYoung(long idleSeconds, Duration grace) {
    return idleSeconds >= 0 && idleSeconds < grace.toSeconds();
  }
}
