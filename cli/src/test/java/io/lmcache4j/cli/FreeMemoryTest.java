/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FreeMemoryTest {

  @TempDir private Path dir;
  private Path meminfo;

  @BeforeEach
  void theSystemHasAGibibyte() throws IOException {
    meminfo = dir.resolve("meminfo");
    Files.writeString(meminfo, "MemTotal: 9 kB\nMemAvailable:    1048576 kB\nBuffers: 1 kB\n");
  }

  @Test
  void isWhatTheSystemHasAvailable() {
    assertThat(FreeMemory.bytes(meminfo, dir)).isEqualTo(1L << 30);
  }

  @Test
  void isNoMoreThanTheContainerHasLeft() throws IOException {
    Files.writeString(dir.resolve("memory.max"), "1000000\n");
    Files.writeString(dir.resolve("memory.current"), "900000\n");
    assertThat(FreeMemory.bytes(meminfo, dir)).isEqualTo(100_000);
    Files.writeString(dir.resolve("memory.stat"), "anon 1\ninactive_file 50000\n");
    assertThat(FreeMemory.bytes(meminfo, dir)).isEqualTo(150_000);
  }

  @Test
  void aContainerWithoutALimitHasWhatTheSystemHas() throws IOException {
    Files.writeString(dir.resolve("memory.max"), "max\n");
    assertThat(FreeMemory.bytes(meminfo, dir)).isEqualTo(1L << 30);
  }

  @Test
  void isUnlimitedWhereNothingIsKnown() {
    Path nowhere = dir.resolve("nowhere");
    assertThat(FreeMemory.bytes(nowhere, nowhere)).isGreaterThan(1L << 60);
  }
}
