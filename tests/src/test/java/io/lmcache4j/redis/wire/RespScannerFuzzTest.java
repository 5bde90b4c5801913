/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.lmcache4j.tests.fuzz.Allocation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * Any bytes as a reply: wherever it is cut, its end is where a plain recursive reader of RESP finds
 * it, and what that one refuses is refused.
 */
class RespScannerFuzzTest {

  private static final int INCOMPLETE = -1;
  private static final int INVALID = -2;

  @FuzzTest
  void findsTheEnd(byte[] stream) {
    int expected = new Reference(stream).end();
    for (int piece : new int[] {Integer.MAX_VALUE, 1, 2, 3, 7}) {
      assertThat(scan(stream, piece)).as("in pieces of %d", piece).isEqualTo(expected);
    }
    Allocation.isPaidFor(stream.length, 16, () -> scan(stream, 1));
  }

  private static int scan(byte[] stream, int piece) {
    RespScanner scanner = new RespScanner();
    scanner.reset();
    ByteBuf in = Unpooled.wrappedBuffer(stream);
    int at = 0;
    for (int end = 0; end < stream.length && !scanner.isComplete(); ) {
      end += Math.min(piece, stream.length - end);
      try {
        at = scanner.scan(in.writerIndex(end), at);
      } catch (ProtocolViolationException e) {
        return INVALID;
      }
    }
    return scanner.isComplete() ? at : INCOMPLETE;
  }

  /** Reads by recursion, from the grammar in redis.io's protocol specification. */
  private static final class Reference {

    private static final class Stop extends RuntimeException {
      private static final long serialVersionUID = 1L;

      private final int why;

      Stop(int why) {
        super(null, null, false, false);
        this.why = why;
      }
    }

    private final byte[] stream;
    private int at;

    /** Elements that were announced and not read: no frame may hold too many. */
    private long outstanding = 1;

    Reference(byte[] stream) {
      this.stream = stream;
    }

    int end() {
      try {
        element();
        return at;
      } catch (Stop stop) {
        return stop.why;
      }
    }

    private void element() {
      byte type = next();
      switch (type) {
        case '+', '-', ':', ',', '(', '_' -> {
          line();
          lineFeed();
        }
        case '#' -> {
          require(line() == 1);
          lineFeed();
        }
        case '$', '!' -> bulk(number());
        case '=' -> {
          long length = number();
          require(length < 0 || length >= "txt:".length());
          bulk(length);
        }
        case '*', '~', '>' -> elements(1);
        case '%' -> elements(2);
        case '|' -> {
          outstanding++;
          elements(2);
          element();
        }
        default -> throw new Stop(INVALID);
      }
    }

    private void elements(int each) {
      long n = Math.max(0, number()) * each;
      outstanding += n;
      require(outstanding <= RespScanner.MAX_ELEMENTS);
      require(next() == '\n');
      outstanding--;
      for (long i = 0; i < n; i++) {
        element();
      }
    }

    private void bulk(long length) {
      require(next() == '\n');
      if (length >= 0) {
        if (length > stream.length - at) {
          throw new Stop(INCOMPLETE);
        }
        at += (int) length;
        require(next() == '\r');
        lineFeed();
      } else {
        outstanding--;
      }
    }

    private long number() {
      boolean negative = at < stream.length && stream[at] == '-';
      if (negative) {
        at++;
      }
      long number = 0;
      int digits = 0;
      for (byte b = next(); ; b = next()) {
        if (b == '\r' && digits > 0) {
          number = negative ? -number : number;
          require(number >= -1 && number <= RespScanner.MAX_BULK);
          return number;
        }
        require(b >= '0' && b <= '9' && digits < 10);
        number = number * 10 + b - '0';
        digits++;
      }
    }

    /** Reads on to a CR and returns how many bytes there were before it. */
    private int line() {
      int length = 0;
      for (byte b = next(); b != '\r'; b = next()) {
        length++;
        require(b != '\n' && length <= RespScanner.MAX_LINE);
      }
      return length;
    }

    private void lineFeed() {
      require(next() == '\n');
      outstanding--;
    }

    private byte next() {
      if (at == stream.length) {
        throw new Stop(INCOMPLETE);
      }
      return stream[at++];
    }

    private static void require(boolean valid) {
      if (!valid) {
        throw new Stop(INVALID);
      }
    }
  }
}
