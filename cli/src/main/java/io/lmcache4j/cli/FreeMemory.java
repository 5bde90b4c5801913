/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** How much memory could be taken now without hurting anybody. */
final class FreeMemory {

  private static final Path MEMINFO = Path.of("/proc/meminfo");
  private static final Path CGROUP = Path.of("/sys/fs/cgroup");

  private FreeMemory() {}

  /**
   * Returns the bytes that are free: Linux's MemAvailable, or what the container has left where
   * that is less. Elsewhere no limit is known.
   */
  static long bytes() {
    long system = available(MEMINFO).orElse(Long.MAX_VALUE);
    long limit = number(CGROUP.resolve("memory.max")).orElse(Long.MAX_VALUE);
    long used = number(CGROUP.resolve("memory.current")).orElse(0);
    return Math.min(system, limit == Long.MAX_VALUE ? limit : Math.max(0, limit - used));
  }

  static OptionalLong available(Path meminfo) {
    for (String line : lines(meminfo)) {
      if (line.startsWith("MemAvailable:")) {
        return OptionalLong.of(Long.parseLong(line.replaceAll("\\D", "")) << 10);
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
