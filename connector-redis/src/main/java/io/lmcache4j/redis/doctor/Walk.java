/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.redis.KeyPage;
import io.lmcache4j.redis.Survey;
import io.lmcache4j.redis.SyncConnector;
import java.util.List;
import java.util.concurrent.CompletionStage;
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
    CompletionStage<Survey.Page> coming = survey.scan(KeyPage.END, options.scanCount());
    boolean last = false;
    while (!last) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      long start = System.nanoTime();
      Survey.Page page = SyncConnector.await(coming);
      last = page.nextCursor().equals(KeyPage.END);
      if (!last) {
        coming = survey.scan(page.nextCursor(), options.scanCount());
      }
      visitor.visit(page.redisKeys());
      keys += page.redisKeys().size();
      progress.walked(keys, ofAbout);
      pause(page.redisKeys().size(), start);
    }
  }

  /** By the page and not by the walk: after a stall nothing is made up for in haste. */
  private void pause(int pageKeys, long start) throws InterruptedException {
    if (options.keysPerSecond() > 0) {
      long due = pageKeys * TimeUnit.SECONDS.toNanos(1) / options.keysPerSecond();
      TimeUnit.NANOSECONDS.sleep(due - (System.nanoTime() - start));
    }
  }

  /** Redis keys that were seen. */
  long keys() {
    return keys;
  }
}
