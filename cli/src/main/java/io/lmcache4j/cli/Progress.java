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
    return new ProgressBarBuilder()
        .setTaskName(what)
        .setInitialMax(bytes)
        .setUnit(" MiB", MIB)
        .setUpdateIntervalMillis(INTERVAL_MILLIS)
        .setStyle(ProgressBarStyle.ASCII)
        .setConsumer(new ConsoleProgressBarConsumer(err, WIDTH))
        .build();
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
