/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import java.util.Locale;

/** Numbers for people. */
final class Figures {

  private static final double KIB = 1 << 10;
  private static final double MIB = 1 << 20;
  private static final double GIB = 1 << 30;
  private static final double NANOS_PER_MILLI = 1e6;
  private static final double NANOS_PER_SECOND = 1e9;

  private Figures() {}

  static String bytes(long bytes) {
    if (bytes < KIB) {
      return bytes + " B";
    }
    if (bytes < MIB) {
      return format("%.1f KiB", bytes / KIB);
    }
    return bytes < GIB ? format("%.0f MiB", bytes / MIB) : format("%.1f GiB", bytes / GIB);
  }

  static String time(long nanos) {
    return nanos < NANOS_PER_SECOND
        ? format("%.1f ms", nanos / NANOS_PER_MILLI)
        : format("%.2f s", nanos / NANOS_PER_SECOND);
  }

  static String throughput(long bytes, long nanos) {
    return format("%.2f GiB/s", bytes / GIB / (nanos / NANOS_PER_SECOND));
  }

  private static String format(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
