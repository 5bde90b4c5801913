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

  /** What is counted. */
  enum Unit {
    /** Bytes, shown in MiB. */
    BYTES(" MiB", 1 << 20),
    /** Keys. */
    KEYS(" keys", 1);

    private final String label;
    private final long size;

    Unit(String label, long size) {
      this.label = label;
      this.size = size;
    }
  }

  private static final int WIDTH = 78;
  private static final int INTERVAL_MILLIS = 100;

  private final @Nullable ProgressBar bar;

  private Progress(@Nullable ProgressBar bar) {
    this.bar = bar;
  }

  /** A negative total is one that is not known. */
  static Progress start(Streams streams, String what, long total, Unit unit) {
    return new Progress(streams.progress() ? bar(streams.err(), what, total, unit) : null);
  }

  private static ProgressBar bar(PrintStream err, String what, long total, Unit unit) {
    return new ProgressBarBuilder()
        .setTaskName(what)
        .setInitialMax(total)
        .setUnit(unit.label, unit.size)
        .setUpdateIntervalMillis(INTERVAL_MILLIS)
        .setStyle(ProgressBarStyle.ASCII)
        .setConsumer(new ConsoleProgressBarConsumer(err, WIDTH))
        .build();
  }

  void step(long by) {
    if (bar != null) {
      bar.stepBy(by);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
