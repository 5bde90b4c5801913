/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.servers;

import java.nio.charset.StandardCharsets;

/** In which of a cluster's slots a key lies: CRC-16/XMODEM of its hash tag, or of all of it. */
public final class Slots {

  public static final int COUNT = 16_384;

  private Slots() {}

  public static int of(Object key) {
    byte[] bytes =
        key instanceof byte[] raw ? raw : key.toString().getBytes(StandardCharsets.UTF_8);
    int from = 0;
    int to = bytes.length;
    int open = indexOf(bytes, '{', 0);
    if (open >= 0) {
      int close = indexOf(bytes, '}', open + 1);
      if (close > open + 1) {
        from = open + 1;
        to = close;
      }
    }
    int crc = 0;
    for (int i = from; i < to; i++) {
      crc ^= (bytes[i] & 0xFF) << 8;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 0x8000) == 0 ? crc << 1 : crc << 1 ^ 0x1021;
      }
    }
    return (crc & 0xFFFF) % COUNT;
  }

  private static int indexOf(byte[] bytes, char wanted, int from) {
    for (int i = from; i < bytes.length; i++) {
      if (bytes[i] == wanted) {
        return i;
      }
    }
    return -1;
  }
}
