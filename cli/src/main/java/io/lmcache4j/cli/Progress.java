/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A bar on a terminal, and nothing elsewhere. Steps may come from any thread. */
final class Progress implements AutoCloseable {

  private static final long MIB = 1 << 20;
  private static final int WIDTH = 78;
  private static final int INTERVAL_MILLIS = 100;

  private final @Nullable ProgressBar bar;

  private Progress(@Nullable ProgressBar bar) {
    this.bar = bar;
  }

  static Progress start(Streams streams, String what, long bytes) {
    return new Progress(streams.progress() ? bar(streams.err(), what, bytes) : null);
  }

  private static ProgressBar bar(PrintStream err, String what, long bytes) {
    return builder(err, what).setInitialMax(bytes).setUnit(" MiB", MIB).build();
  }

  /** A bar of keys, whose number is not known before. */
  static Progress ofKeys(Streams streams, String what) {
    return new Progress(
        streams.progress()
            ? builder(streams.err(), what).setInitialMax(-1).setUnit(" keys", 1).build()
            : null);
  }

  private static ProgressBarBuilder builder(PrintStream err, String what) {
    return new ProgressBarBuilder()
        .setTaskName(what)
        .setUpdateIntervalMillis(INTERVAL_MILLIS)
        .setStyle(ProgressBarStyle.ASCII)
        .setConsumer(new ConsoleProgressBarConsumer(err, WIDTH));
  }

  /** Has come so far, of about so much; less than nothing is not known. */
  void at(long done, long ofAbout) {
    if (bar != null) {
      bar.maxHint(ofAbout < 0 ? -1 : Math.max(done, ofAbout));
      bar.stepTo(done);
    }
  }

  void step(long bytes) {
    if (bar != null) {
      bar.stepBy(bytes);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
