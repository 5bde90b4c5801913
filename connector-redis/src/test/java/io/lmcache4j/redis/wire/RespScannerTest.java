/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RespScannerTest {

  private final RespScanner scanner = new RespScanner();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 20261124})
  void findsTheEndOfEachFrameHoweverTheStreamIsCut(long seed) {
    Random random = new Random(seed);
    StringBuilder stream = new StringBuilder();
    List<Integer> ends = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      frame(stream, random, 0);
      ends.add(stream.length());
    }
    ByteBuf bytes = buffer(stream.toString());
    for (int piece : new int[] {1, 2, 3, 7, 64, 1000, stream.length()}) {
      assertThat(endsOf(bytes, piece)).as("pieces of %d bytes", piece).isEqualTo(ends);
    }
  }

  private List<Integer> endsOf(ByteBuf bytes, int piece) {
    List<Integer> ends = new ArrayList<>();
    scanner.reset();
    int at = 0;
    for (int to = piece; at < bytes.writerIndex(); to += piece) {
      ByteBuf seen = bytes.slice(0, Math.min(to, bytes.writerIndex()));
      while (at < seen.writerIndex()) {
        at = scanner.scan(seen, at);
        if (scanner.isComplete()) {
          ends.add(at);
          scanner.reset();
        }
      }
    }
    return ends;
  }

  /** A frame of any type, RESP2 and RESP3, nested a few levels deep. */
  private static void frame(StringBuilder out, Random random, int depth) {
    switch (random.nextInt(depth < 4 ? 15 : 10)) {
      case 0 -> out.append("+").append("s".repeat(random.nextInt(9))).append("\r\n");
      case 1 -> out.append("-ERR no\r\n");
      case 2 -> out.append(":").append(random.nextLong()).append("\r\n");
      case 3 -> out.append(",1.5e3\r\n");
      case 4 -> out.append("#t\r\n");
      case 5 -> out.append("_\r\n");
      case 6 -> out.append("(123456789012345678901234567890\r\n");
      case 7 -> out.append(random.nextBoolean() ? "$-1\r\n" : "*-1\r\n");
      case 8 -> bulk(out, random.nextBoolean() ? '$' : '!', "\r\n$1*".repeat(random.nextInt(5)));
      case 9 -> bulk(out, '=', "txt:" + "\r".repeat(random.nextInt(5)));
      case 10 -> aggregate(out, '*', 1, random, depth);
      case 11 -> aggregate(out, '~', 1, random, depth);
      case 12 -> aggregate(out, '>', 1, random, depth);
      case 13 -> aggregate(out, '%', 2, random, depth);
      default -> {
        // An attribute and the value it is about are one frame.
        aggregate(out, '|', 2, random, depth);
        frame(out, random, depth + 1);
      }
    }
  }

  private static void bulk(StringBuilder out, char type, String text) {
    out.append(type).append(text.length()).append("\r\n").append(text).append("\r\n");
  }

  private static void aggregate(
      StringBuilder out, char type, int elementsEach, Random random, int depth) {
    int n = random.nextInt(4);
    out.append(type).append(n).append("\r\n");
    for (int i = 0; i < n * elementsEach; i++) {
      frame(out, random, depth + 1);
    }
  }

  @Test
  void anAttributeAloneEndsInFrontOfItsValue() {
    ByteBuf bytes = buffer("|1\r\n+a\r\n*1\r\n|1\r\n+b\r\n+c\r\n+d\r\n$1\r\nx\r\n");

    scanner.resetAttribute();

    assertThat(scanner.scan(bytes, 0)).isEqualTo(bytes.writerIndex() - "$1\r\nx\r\n".length());
    assertThat(scanner.isComplete()).isTrue();
  }

  @Test
  void aBulkStringCanBeEnteredBehindItsLength() {
    ByteBuf bytes = buffer("ab\r\n+OK\r\n");

    scanner.resetInBulk(2);

    assertThat(scanner.scan(bytes, 0)).isEqualTo(4);
    assertThat(scanner.isComplete()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"+a\nb\r\n", "-\n\r\n", ":1\n", "_\n"})
  void aLineFeedAloneIsRefused(String frame) {
    scanner.reset();

    assertThatThrownBy(() -> scanner.scan(buffer(frame), 0))
        .isInstanceOf(ProtocolViolationException.class)
        .hasMessageContaining("line feed");
  }

  @Test
  void nestingCostsNothing() {
    ByteBuf bytes = buffer("*1\r\n".repeat(1_000_000) + "_\r\n");

    scanner.reset();

    assertThat(scanner.scan(bytes, 0)).isEqualTo(bytes.writerIndex());
    assertThat(scanner.isComplete()).isTrue();
  }

  @Test
  void elementsAreCountedOverAllLevels() {
    ByteBuf bytes = buffer("*524288\r\n*524288\r\n*524288\r\n");

    scanner.reset();

    assertThatThrownBy(() -> scanner.scan(bytes, 0))
        .isInstanceOf(ProtocolViolationException.class)
        .hasMessageContaining("1048576 elements");
  }

  /** The array counts as well, until its own line has ended. */
  @ParameterizedTest
  @ValueSource(strings = {"*1048575", "~1048575", "%524287", "|524287"})
  void asManyElementsAsTheBound(String head) {
    ByteBuf bytes = buffer(head + "\r\n");

    scanner.reset();

    assertThat(scanner.scan(bytes, 0)).isEqualTo(bytes.writerIndex());
    assertThat(scanner.isComplete()).isFalse();
  }

  /** Lettuce would make room for all of them at once. */
  @ParameterizedTest
  @ValueSource(strings = {"*1048576", "~16777215", ">1048576", "%524288", "|524288"})
  void oneElementMoreThanTheBound(String head) {
    ByteBuf bytes = buffer(head + "\r\n");

    scanner.reset();

    assertThatThrownBy(() -> scanner.scan(bytes, 0))
        .isInstanceOf(ProtocolViolationException.class)
        .hasMessageContaining("1048576 elements");
  }

  private static ByteBuf buffer(String text) {
    return Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
  }
}
