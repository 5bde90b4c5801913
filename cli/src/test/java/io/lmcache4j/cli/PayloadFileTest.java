/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PayloadFileTest {

  private final DirectMemory memory = DirectMemory.create(64 << 20);
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Streams streams =
      new Streams(
          new ByteArrayInputStream(new byte[0]),
          new PrintStream(out, false, StandardCharsets.UTF_8),
          new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
          false);
  private final Progress progress = Progress.start(streams, "test", 0);

  @TempDir private Path dir;

  @AfterEach
  void noLeaseIsLeft() {
    assertThat(memory.leases()).isZero();
    memory.close();
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4096, (4 << 20) - 1, 4 << 20, (9 << 20) + 17})
  void comesBackAsItWas(int length) throws IOException {
    byte[] bytes = random(length);
    Path in = Files.write(dir.resolve("in"), bytes);
    Path copy = dir.resolve("copy");
    assertThat(PayloadFile.length(in)).isEqualTo(length);
    try (ChunkBuffer lease = PayloadFile.read(in, length, memory, progress)) {
      PayloadFile.write(copy, lease.nio(), progress);
      PayloadFile.write(streams, lease.nio(), progress);
    }
    assertThat(copy).hasBinaryContent(bytes);
    assertThat(out.toByteArray()).isEqualTo(bytes);
  }

  @Test
  void replacesWhatWasThereAndLeavesNothingBeside() throws IOException {
    Path file = Files.write(dir.resolve("file"), random(100));
    PayloadFile.write(file, ByteBuffer.wrap(new byte[] {1}), progress);
    assertThat(file).hasBinaryContent(new byte[] {1});
    try (Stream<Path> files = Files.list(dir)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void aLinkStaysALink() throws IOException {
    Path file = Files.write(dir.resolve("file"), random(100));
    Path link = Files.createSymbolicLink(dir.resolve("link"), file);
    PayloadFile.write(link, ByteBuffer.wrap(new byte[] {1}), progress);
    assertThat(link).isSymbolicLink();
    assertThat(file).hasBinaryContent(new byte[] {1});
  }

  @Test
  void aDeviceIsWrittenToAsItIs() {
    Path device = Path.of("/dev/null");
    PayloadFile.checkWritable(device);
    PayloadFile.write(device, ByteBuffer.wrap(new byte[] {1}), progress);
    assertThat(Files.isRegularFile(device)).isFalse();
  }

  @Test
  void whatCannotBeWrittenIsFoundBefore() {
    assertThatThrownBy(() -> PayloadFile.checkWritable(dir))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining(dir.toString());
    assertThatThrownBy(() -> PayloadFile.checkWritable(dir.resolve("no/file")))
        .isInstanceOf(CommandException.class);
    assertThatThrownBy(() -> PayloadFile.checkWritable(Path.of("")))
        .isInstanceOf(CommandException.class);
  }

  @Test
  void whatIsNoPayloadIsRefused() throws IOException {
    assertThatThrownBy(() -> PayloadFile.length(dir.resolve("no")))
        .hasMessageContaining("no such file");
    assertThatThrownBy(() -> PayloadFile.length(dir)).hasMessageContaining("not a file");
    Path large = dir.resolve("large");
    try (RandomAccessFile file = new RandomAccessFile(large.toFile(), "rw")) {
      file.setLength(PayloadFile.MAX_BYTES + 1);
    }
    assertThatThrownBy(() -> PayloadFile.length(large))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("2147483648")
        .hasMessageContaining("2147483647");
  }

  @ParameterizedTest
  @ValueSource(ints = {99, 101})
  void aFileThatChangesMeanwhileIsRefused(int length) throws IOException {
    Path file = Files.write(dir.resolve("file"), random(100));
    assertThatThrownBy(() -> PayloadFile.read(file, length, memory, progress))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("changed");
  }

  @Test
  void memoryThatIsNotThereIsSaid() throws IOException {
    Path file = Files.write(dir.resolve("file"), random(8192));
    try (DirectMemory small = DirectMemory.create(4096)) {
      assertThatThrownBy(() -> PayloadFile.read(file, 8192, small, progress))
          .isInstanceOf(CommandException.class)
          .hasMessageContaining("8192");
    }
  }
}
