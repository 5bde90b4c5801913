/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.netty.buffer.ByteBuf;

/**
 * Finds where a RESP2 or RESP3 frame ends, without decoding it, however the stream is cut.
 *
 * <p>A frame is complete when no element is outstanding: an aggregate adds as many as it announces,
 * everything else is one. Depth does not matter for that, so there is no stack and no recursion,
 * and a hostile nesting costs nothing.
 *
 * <p>RESP3's streamed types ({@code $?}, {@code *?}) are refused: no server sends them, and Lettuce
 * does not read them.
 */
final class RespScanner {

  /**
   * Longest line (simple string, error, number) that is accepted: far above what a server sends,
   * far below harm.
   */
  static final int MAX_LINE = 64 * 1024;

  /** Longest bulk string: Lettuce adds the two bytes behind it in an int. */
  static final int MAX_BULK = Integer.MAX_VALUE - 2;

  /**
   * Most elements that one frame may announce in all. Lettuce makes a list of as many places as an
   * aggregate announces before one of them has come, 4 MiB here. Nothing that is asked for comes
   * near: a page of SCAN has hundreds of keys, and {@code CLUSTER SLOTS}, with each of the 16384
   * slots in a range of its own, some hundred thousand elements.
   */
  static final long MAX_ELEMENTS = 1L << 20;

  /** {@code txt:} or {@code mkd:} in front of a verbatim string's text. */
  private static final int VERBATIM_PREFIX = 4;

  private static final int TYPE = 0;
  private static final int NUMBER = 1;
  private static final int LINE = 2;
  private static final int LINE_FEED = 3;
  private static final int BULK_HEADER_LF = 4;
  private static final int BULK = 5;
  private static final int BULK_CR = 6;

  private int state = TYPE;

  /** Elements not yet complete, the current one included. */
  private long outstanding;

  private byte type;
  private long number;
  private int digits;
  private boolean negative;
  private int lineLength;
  private long bulkLeft;

  /** Set while the attribute that is scanned stands alone, without the reply it belongs to. */
  private boolean attributeAlone;

  /** Starts a frame; attributes in front of the reply belong to it. */
  void reset() {
    state = TYPE;
    outstanding = 1;
    attributeAlone = false;
  }

  /** Starts an attribute, up to and without the reply behind it. */
  void resetAttribute() {
    reset();
    attributeAlone = true;
  }

  /** Starts behind the length of a bulk string: its bytes and CR LF are still to come. */
  void resetInBulk(long length) {
    reset();
    bulkLeft = length;
    state = BULK;
  }

  /** Whether the frame has been scanned to its end. */
  boolean isComplete() {
    return outstanding == 0;
  }

  /**
   * Reads on.
   *
   * @param in the stream
   * @param from index of the first byte not yet scanned
   * @return index behind the last byte that belongs to the frame; it is complete if {@link
   *     #isComplete()}, else that is the writer index
   * @throws ProtocolViolationException if no server may send this
   */
  int scan(ByteBuf in, int from) {
    int end = in.writerIndex();
    int i = from;
    while (i < end && outstanding > 0) {
      switch (state) {
        case TYPE -> startElement(in.getByte(i++));
        case NUMBER -> scanNumber(in.getByte(i++));
        case LINE -> i = scanLine(in, i, end);
        case BULK_HEADER_LF -> {
          expect(in.getByte(i++), '\n');
          state = BULK;
        }
        case BULK -> {
          long n = Math.min(bulkLeft, end - i);
          bulkLeft -= n;
          i += (int) n;
          if (bulkLeft == 0) {
            state = BULK_CR;
          }
        }
        case BULK_CR -> {
          expect(in.getByte(i++), '\r');
          state = LINE_FEED;
        }
        default -> { // LINE_FEED
          expect(in.getByte(i++), '\n');
          outstanding--;
          state = TYPE;
        }
      }
    }
    return i;
  }

  private int scanLine(ByteBuf in, int from, int end) {
    int cr = in.indexOf(from, end, (byte) '\r');
    int stop = cr < 0 ? end : cr;
    lineLength += stop - from;
    if (lineLength > MAX_LINE) {
      throw new ProtocolViolationException("a line of over " + MAX_LINE + " bytes");
    }
    // Lettuce looks for the first line feed and would wait for ever behind a lone one.
    if (in.indexOf(from, stop, (byte) '\n') >= 0) {
      throw new ProtocolViolationException("a line feed inside a line");
    }
    if (cr < 0) {
      return end;
    }
    // Of a boolean Lettuce reads one byte, and takes the rest for the next reply.
    if (type == '#' && lineLength != 1) {
      throw new ProtocolViolationException("a boolean of " + lineLength + " bytes");
    }
    state = LINE_FEED;
    return cr + 1;
  }

  private void startElement(byte b) {
    type = b;
    switch (b) {
      // Simple string, error, integer, double, big number, boolean, null.
      case '+', '-', ':', ',', '(', '#', '_' -> {
        lineLength = 0;
        state = LINE;
      }
      // Bulk string, bulk error, verbatim string; array, set, push, map, attribute.
      case '$', '!', '=', '*', '~', '>', '%', '|' -> {
        number = 0;
        digits = 0;
        negative = false;
        state = NUMBER;
      }
      default ->
          throw new ProtocolViolationException(
              "type byte 0x" + Integer.toHexString(b & 0xFF) + " begins no reply");
    }
  }

  private void scanNumber(byte b) {
    if (b >= '0' && b <= '9' && digits < 10) {
      number = number * 10 + (b - '0');
      digits++;
    } else if (b == '-' && digits == 0 && !negative) {
      negative = true;
    } else if (b == '\r' && digits > 0) {
      long n = negative ? -number : number;
      if (n < -1 || n > MAX_BULK) {
        throw new ProtocolViolationException("a length of " + n);
      }
      announced(n);
    } else {
      throw new ProtocolViolationException(
          "byte 0x"
              + Integer.toHexString(b & 0xFF)
              + " in the length behind '"
              + (char) type
              + "'");
    }
  }

  /** The number behind the type is known; its line feed is still to come. */
  private void announced(long n) {
    if (type == '=' && n >= 0 && n < VERBATIM_PREFIX) {
      throw new ProtocolViolationException("a verbatim string of " + n + " bytes");
    }
    if (type == '$' || type == '!' || type == '=') {
      bulkLeft = n;
      state = n < 0 ? LINE_FEED : BULK_HEADER_LF;
      return;
    }
    boolean pairs = type == '%' || type == '|';
    outstanding += n < 0 ? 0 : pairs ? 2 * n : n;
    if (type == '|' && !attributeAlone) {
      // An attribute stands in front of a reply and is none itself.
      outstanding++;
    }
    attributeAlone = false;
    if (outstanding > MAX_ELEMENTS) {
      throw new ProtocolViolationException("a frame of over " + MAX_ELEMENTS + " elements");
    }
    state = LINE_FEED;
  }

  private static void expect(byte b, char expected) {
    if (b != expected) {
      throw new ProtocolViolationException(
          "byte 0x" + Integer.toHexString(b & 0xFF) + " where CR LF had to be");
    }
  }
}
