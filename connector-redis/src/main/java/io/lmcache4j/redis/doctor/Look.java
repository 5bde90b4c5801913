/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.redis.StoredName;
import io.lmcache4j.redis.StoredName.Part;
import io.lmcache4j.redis.Survey;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

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
      case METADATA -> new ChunkLook(name, grace);
      case WHOLE -> new ChunkLook(name, grace);
      case PAYLOAD -> new PayloadLook(name, grace);
    };
  }

  byte[] key(Part part) {
    return name.redisKey(part);
  }

  /**
   * Whether half a chunk may be a put under way. Until 0.3.5, and with Sentinel until 0.3.10, the
   * metadata was written first; ever since the payload is.
   */
  static boolean isWrittenFirst(Part part, @Nullable KeyFormat grammar) {
    return part == Part.PAYLOAD
        || (grammar != null && grammar.compareTo(KeyFormat.V0_3_9_POST2) <= 0);
  }

  /** Whether a key was used so lately that its other half may be on its way. */
  static boolean isYoung(long idleSeconds, Duration grace) {
    return idleSeconds >= 0 && idleSeconds < grace.toSeconds();
  }
}
