/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.CommandArgs;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * Arguments of {@code SET key payload [PX milliseconds]}, the payload by reference to a lease.
 *
 * <p>Can be encoded any number of times, as a redirected command is. The lease must be held by
 * whoever created this until the command has ended ({@link WireCommand}); each encoding takes a
 * reference of its own beside that.
 *
 * <p>Holds no {@code ValueArgument}, and says its length and nothing else in {@link #toString()}:
 * Lettuce's tracing and logging would otherwise turn the whole payload into a string.
 */
public final class PayloadArgs extends CommandArgs<byte[], byte[]> {

  private static final byte[] CRLF = {'\r', '\n'};
  private static final byte[] PX = "$2\r\nPX\r\n".getBytes(StandardCharsets.US_ASCII);

  private final ChunkBuffer payload;
  private final long expireMillis;
  private final WireMetrics metrics;

  /**
   * Creates the arguments.
   *
   * @param key the Redis key
   * @param payload the value
   * @param expireMillis time to live in milliseconds, or 0 for none
   * @param metrics counts what was copied
   */
  public PayloadArgs(byte[] key, ChunkBuffer payload, long expireMillis, WireMetrics metrics) {
    super(ByteArrayCodec.INSTANCE);
    addKey(key);
    this.payload = payload;
    this.expireMillis = expireMillis;
    this.metrics = metrics;
  }

  ChunkBuffer payload() {
    return payload;
  }

  @Override
  public int count() {
    return expireMillis > 0 ? 4 : 2;
  }

  /** The copying path: everything into Lettuce's own buffer. */
  @Override
  public void encode(ByteBuf out) {
    encodeHead(out);
    ByteBuf bytes = payload.netty();
    try {
      out.writeBytes(bytes);
    } finally {
      bytes.release();
    }
    encodeTail(out);
    metrics.copiedOut(payload.length());
  }

  /** The key, and the length that announces the payload. */
  void encodeHead(ByteBuf out) {
    super.encode(out);
    out.writeByte('$');
    writeDecimal(out, payload.length());
    out.writeBytes(CRLF);
  }

  /** What follows the payload. */
  void encodeTail(ByteBuf out) {
    out.writeBytes(CRLF);
    if (expireMillis > 0) {
      out.writeBytes(PX);
      String millis = Long.toString(expireMillis);
      out.writeByte('$');
      writeDecimal(out, millis.length());
      out.writeBytes(CRLF);
      out.writeCharSequence(millis, StandardCharsets.US_ASCII);
      out.writeBytes(CRLF);
    }
  }

  private static void writeDecimal(ByteBuf out, int number) {
    out.writeCharSequence(Integer.toString(number), StandardCharsets.US_ASCII);
  }

  @Override
  public String toString() {
    return "PayloadArgs[" + payload.length() + " bytes]";
  }
}
