/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.redis.Survey;
import java.util.ArrayList;
import java.util.List;

/** How long chunks have not been used. */
final class AgeBuckets {

  private static final long MINUTE = 60;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;
  private static final long[] LIMITS = {
    MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, Long.MAX_VALUE
  };
  private static final String[] LABELS = {
    "under 1 min", "1 to 10 min", "10 to 60 min", "1 to 6 h", "6 to 24 h", "1 to 7 days", "older"
  };

  private final long[] counts = new long[LIMITS.length];
  private long sampled;
  private boolean refused;

  /** Takes an answer of {@link Survey.Trip#idleSeconds}. */
  void add(long seconds) {
    if (seconds == Survey.REFUSED) {
      refused = true;
    } else if (seconds >= 0) {
      int bucket = 0;
      while (seconds >= LIMITS[bucket]) {
        bucket++;
      }
      counts[bucket]++;
      sampled++;
    }
  }

  Diagnosis.Ages result() {
    List<Diagnosis.Ages.Bucket> buckets = new ArrayList<>();
    for (int i = 0; i < LIMITS.length; i++) {
      buckets.add(new Diagnosis.Ages.Bucket(LABELS[i], LIMITS[i], counts[i]));
    }
    return new Diagnosis.Ages(
        sampled,
        buckets,
        refused
            ? "the server refuses OBJECT IDLETIME, as it does under a policy of LFU,"
                + " which counts uses and does not keep their time"
            : null);
  }
}
