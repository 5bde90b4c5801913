/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Makes replies in RESP2 and RESP3 out of fuzzed data. */
final class ReplyWriter {

  private static final int MAX_DEPTH = 3;
  private static final int MAX_BULK = 120;

  private static final String[] PIECES = {
    "$",
    "*",
    "%",
    "~",
    ">",
    "|",
    "+",
    "-",
    ":",
    "#t",
    "_",
    ",1.5",
    "(12",
    "=8\r\ntxt:abcd\r\n",
    "!",
    "\r\n",
    "\r",
    "\n",
    "-1",
    "0",
    "1",
    "2",
    "5",
    "2147483647",
    "2147483648",
    "99999999999",
    "$5\r\nhello\r\n",
    "$-1\r\n",
    "$0\r\n\r\n",
    "+OK\r\n",
    ":1\r\n",
    "-ERR x\r\n",
    "@1",
    "$?",
    "*?",
    "-DENIED Redis is running in protected mode\r\n"
  };

  private final FuzzedDataProvider data;
  private final ByteArrayOutputStream all = new ByteArrayOutputStream();

  /** The same without attributes at the top, which plain Lettuce cannot read. */
  private final ByteArrayOutputStream plain = new ByteArrayOutputStream();

  ReplyWriter(FuzzedDataProvider data) {
    this.data = data;
  }

  int size() {
    return all.size();
  }

  byte[] toByteArray() {
    return all.toByteArray();
  }

  byte[] withoutAttributes() {
    return plain.toByteArray();
  }

  /** Writes one reply, perhaps behind pushes and attributes. */
  void reply() {
    while (data.remainingBytes() > 0 && data.consumeInt(0, 7) == 0) {
      if (data.consumeBoolean()) {
        write(">2\r\n" + bulk() + element(1));
      } else {
        String attribute = "|1\r\n" + element(1) + element(1);
        all.writeBytes(attribute.getBytes(StandardCharsets.ISO_8859_1));
      }
    }
    write(data.consumeBoolean() ? bulk() : element(0));
  }

  void status(String text) {
    write("+" + text + "\r\n");
  }

  /** Writes what may be no reply. */
  void anything() {
    switch (data.consumeInt(0, 3)) {
      case 0 -> write(data.consumeAsciiString(6));
      case 1 -> reply();
      default -> write(data.pickValue(PIECES));
    }
  }

  private void write(String bytes) {
    all.writeBytes(bytes.getBytes(StandardCharsets.ISO_8859_1));
    plain.writeBytes(bytes.getBytes(StandardCharsets.ISO_8859_1));
  }

  private String element(int depth) {
    int types = depth < MAX_DEPTH ? 13 : 10;
    return switch (data.consumeInt(0, types)) {
      case 0 -> "$-1\r\n";
      case 1 -> "_\r\n";
      case 2 -> ":" + data.consumeLong() + "\r\n";
      case 3 -> "+" + line() + "\r\n";
      case 4 -> "-ERR " + line() + "\r\n";
      case 5 -> "," + data.consumeInt() + ".5\r\n";
      case 6 -> data.consumeBoolean() ? "#t\r\n" : "#f\r\n";
      case 7 -> "(" + data.consumeLong() + "\r\n";
      case 8 -> {
        String text = "txt:" + line();
        yield "=" + text.length() + "\r\n" + text + "\r\n";
      }
      case 9 -> "*-1\r\n";
      case 10 -> bulk();
      case 11 -> aggregate('*', 1, depth);
      case 12 -> aggregate('~', 1, depth);
      default -> aggregate('%', 2, depth);
    };
  }

  private String aggregate(char type, int each, int depth) {
    int n = data.consumeInt(0, 3);
    StringBuilder text = new StringBuilder().append(type).append(n).append("\r\n");
    for (int i = 0; i < n * each; i++) {
      text.append(element(depth + 1));
    }
    return text.toString();
  }

  private String bulk() {
    String bytes =
        new String(data.consumeBytes(data.consumeInt(0, MAX_BULK)), StandardCharsets.ISO_8859_1);
    return "$" + bytes.length() + "\r\n" + bytes + "\r\n";
  }

  private String line() {
    return data.consumeAsciiString(8).replaceAll("[\r\n]", " ");
  }
}
