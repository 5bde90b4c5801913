/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** How much memory could be taken now without hurting anybody. */
final class FreeMemory {

  /** /proc/meminfo counts in KiB. */
  private static final int KIB_SHIFT = 10;

  private FreeMemory() {}

  /**
   * Returns the bytes that are free: Linux's MemAvailable, or what the container has left where
   * that is less. Elsewhere no limit is known.
   */
  static long bytes() {
    return bytes(Path.of("/proc/meminfo"), Path.of("/sys/fs/cgroup"));
  }

  static long bytes(Path meminfo, Path cgroup) {
    long system = field(meminfo, "MemAvailable:").orElse(Long.MAX_VALUE >> KIB_SHIFT) << KIB_SHIFT;
    OptionalLong limit = number(cgroup.resolve("memory.max"));
    if (limit.isEmpty()) {
      return system;
    }
    long used = number(cgroup.resolve("memory.current")).orElse(0);
    // Pages of files that nobody has used lately are the first to go.
    long cached = field(cgroup.resolve("memory.stat"), "inactive_file ").orElse(0);
    return Math.min(system, Math.max(0, limit.getAsLong() - used + cached));
  }

  private static OptionalLong field(Path file, String name) {
    for (String line : lines(file)) {
      if (line.startsWith(name)) {
        return OptionalLong.of(Long.parseLong(line.substring(name.length()).replaceAll("\\D", "")));
      }
    }
    return OptionalLong.empty();
  }

  /** The file holds a number, or "max". */
  private static OptionalLong number(Path file) {
    List<String> lines = lines(file);
    return lines.isEmpty() || !lines.get(0).matches("\\d{1,18}")
        ? OptionalLong.empty()
        : OptionalLong.of(Long.parseLong(lines.get(0)));
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      // Not a Linux, or not a container: nothing is known.
      return List.of();
    }
  }
}
