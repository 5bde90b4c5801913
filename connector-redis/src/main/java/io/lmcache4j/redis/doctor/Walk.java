/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.redis.KeyPage;
import io.lmcache4j.redis.Survey;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** One walk through the key space, no faster than the options allow. */
final class Walk {

  private final Survey survey;
  private final DoctorOptions options;
  private final long ofAbout;
  private long keys;

  Walk(Survey survey, DoctorOptions options, long ofAbout) {
    this.survey = survey;
    this.options = options;
    this.ofAbout = ofAbout;
  }

  /** Looks at a page of Redis keys. */
  @FunctionalInterface
  interface Visitor {
    void visit(List<byte[]> redisKeys) throws InterruptedException;
  }

  void through(Visitor visitor, Doctor.Progress progress) throws InterruptedException {
    long start = System.nanoTime();
    String cursor = KeyPage.END;
    do {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      Survey.Page page = survey.scan(cursor, options.scanCount());
      visitor.visit(page.redisKeys());
      keys += page.redisKeys().size();
      progress.walked(keys, ofAbout);
      cursor = page.nextCursor();
      pause(start);
    } while (!cursor.equals(KeyPage.END));
  }

  private void pause(long start) throws InterruptedException {
    if (options.keysPerSecond() > 0) {
      long due = keys * TimeUnit.SECONDS.toNanos(1) / options.keysPerSecond();
      TimeUnit.NANOSECONDS.sleep(due - (System.nanoTime() - start));
    }
  }

  /** Redis keys that were seen. */
  long keys() {
    return keys;
  }
}
