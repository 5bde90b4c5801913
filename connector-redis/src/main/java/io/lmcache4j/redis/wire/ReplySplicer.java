/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.protocol.CommandHandler;
import io.lettuce.core.protocol.RedisCommand;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Takes payloads out of the reply stream, in front of Lettuce's {@link CommandHandler}.
 *
 * <h2>Which reply belongs to which command</h2>
 *
 * <p>{@link CommandHandler#getStack()} is the truth, and nothing is mirrored here: the command
 * handler decodes whatever it is given synchronously and removes each command it completes, so
 * whenever this handler stands between two frames the head of that queue owns the next frame that
 * is not a push. If its output is a {@link SplicedOutput} and the frame is a bulk string, the
 * output is asked where the bytes go; when they are all there Lettuce is shown {@code :length
 * CRLF}, and with it completes the command as it would any other. All else is handed on untouched,
 * frame by frame.
 *
 * <h2>States</h2>
 *
 * <pre>
 *   BOUNDARY --'$', head takes bulks--> HEADER --taken--> PAYLOAD --> TRAILER --> BOUNDARY
 *      |                                   +----left to Lettuce--> PASS
 *      +--'|'--> ATTRIBUTE --> BOUNDARY    (dropped: Lettuce cannot read them, and nobody asked for them)
 *      +--any other--> PASS --> BOUNDARY
 * </pre>
 *
 * <h2>What can go wrong</h2>
 *
 * <p>A reply that no server may send, a reply that nobody asked for, or a head of the queue that
 * changed in the middle of a payload: in each case nothing says where the next reply begins, so the
 * channel is closed, which fails what is in flight and lets Lettuce reconnect. A connection is
 * never left out of step.
 */
final class ReplySplicer extends ChannelInboundHandlerAdapter {

  private enum State {
    BOUNDARY,
    PASS,
    ATTRIBUTE,
    HEADER,
    PAYLOAD,
    TRAILER
  }

  /** {@code $2147483647 CRLF}: a longer announcement is none. */
  private static final int MAX_DIGITS = 10;

  private static final int CRLF = 2;

  /** {@code +OK CRLF}, the reply that most commands in front of a get have. */
  private static final int STATUS_BYTES = 5;

  /** {@code $28 CRLF}, the header of one group, CRLF: the reply in front of most payloads. */
  private static final int HEADER_REPLY_BYTES = 35;

  /** {@code $1 CRLF}. */
  private static final int SHORTEST_ANNOUNCEMENT = 4;

  /** What is read at a time of a payload that nobody wants. */
  private static final int DRAIN_BYTES = 64 * 1024;

  private final Queue<RedisCommand<?, ?, ?>> stack;
  private final WireMetrics metrics;
  private final RespScanner scanner = new RespScanner();

  private State state = State.BOUNDARY;

  /** Whether any reply has been seen; before the first one a server may refuse us unasked. */
  private boolean pristine = true;

  /** Set once where the next reply begins is unknown: the rest of the stream is noise. */
  private boolean broken;

  /** Bytes of the frame at hand that have been seen, up to a payload. */
  private int frameBytes;

  /** Whether the frame at hand is the reply in front of a payload. */
  private boolean headerFrame;

  // How long the last of each was. The chunks of a cache are nearly all of one size, so the next is
  // as long.
  private int headerReplyBytes = HEADER_REPLY_BYTES;
  private int announcementBytes = SHORTEST_ANNOUNCEMENT;

  // HEADER
  private long number;
  private int digits;
  private boolean negative;
  private boolean carriageReturn;

  // HEADER, PAYLOAD, TRAILER
  private @Nullable RedisCommand<?, ?, ?> owner;
  private @Nullable SplicedOutput<?> output;
  private @Nullable ByteBuf destination;
  private long length;
  private long left;

  ReplySplicer(CommandHandler commandHandler, WireMetrics metrics) {
    this.stack = commandHandler.getStack();
    this.metrics = metrics;
  }

  /**
   * Where the kernel may write the next bytes of the stream, or null if they are not payload. Event
   * loop only.
   */
  @Nullable ByteBuf receiveTarget() {
    return state == State.PAYLOAD ? destination : null;
  }

  /**
   * How much to read at most, so that no byte of a payload is read along with what stands in front
   * of it and would have to be copied. A guess from the last time, which costs a short read where
   * it is too low and a few copied bytes where it is too high.
   *
   * @return bytes, or 0 if no payload is awaited and any amount is good
   */
  int receiveLimit() {
    if (state == State.PAYLOAD) {
      return (int) Math.min(left, DRAIN_BYTES);
    }
    if (state == State.TRAILER) {
      return CRLF - digits + headerReplyBytes + announcementBytes;
    }
    int others = 0;
    for (RedisCommand<?, ?, ?> command : stack) {
      if (command.getOutput() instanceof SplicedOutput<?> awaited) {
        int expected = others * STATUS_BYTES + announcementBytes - frameBytes;
        if (awaited instanceof HeaderOutput) {
          expected += headerReplyBytes;
        }
        return Math.max(expected, carriageReturn ? 1 : CRLF);
      }
      others++;
    }
    return 0;
  }

  private @Nullable SplicedOutput<?> headOutput() {
    RedisCommand<?, ?, ?> head = stack.peek();
    CommandOutput<?, ?, ?> out = head == null ? null : head.getOutput();
    return out instanceof SplicedOutput ? (SplicedOutput<?>) out : null;
  }

  @Override
  // Nothing is left to do once a close is under way; and the destination is told by being the very
  // buffer.
  @SuppressWarnings({"FutureReturnValueIgnored", "ReferenceEquality"})
  public void channelRead(ChannelHandlerContext ctx, Object msg) {
    if (!(msg instanceof ByteBuf in)) {
      ctx.fireChannelRead(msg);
      return;
    }
    try {
      if (in == destination) {
        receivedInPlace(in);
      } else {
        consume(ctx, in);
      }
    } catch (Throwable e) {
      // CommandHandler fails the head of its queue on an exception and reads on, one reply out of
      // step: close first.
      broken = true;
      abort();
      ctx.close();
      ctx.fireExceptionCaught(e);
    } finally {
      in.release();
    }
  }

  /** The kernel has written into the destination itself; its writer index says how far. */
  private void receivedInPlace(ByteBuf in) {
    long arrived = in.writerIndex() - (length - left);
    metrics.directIn(arrived);
    advance(arrived);
  }

  private void consume(ChannelHandlerContext ctx, ByteBuf in) {
    while (in.isReadable()) {
      if (broken || !ctx.channel().isActive()) {
        // Closed by what an earlier frame led to: the rest is nobody's.
        return;
      }
      switch (state) {
        case BOUNDARY -> startFrame(in.getByte(in.readerIndex()));
        case PASS -> pass(ctx, in);
        case ATTRIBUTE -> skipAttribute(in);
        case HEADER -> readHeader(ctx, in);
        case PAYLOAD -> readPayload(in);
        case TRAILER -> readTrailer(ctx, in);
      }
    }
  }

  private void startFrame(byte type) {
    if (type == '|') {
      scanner.resetAttribute();
      state = State.ATTRIBUTE;
      return;
    }
    scanner.reset();
    state = State.PASS;
    frameBytes = 0;
    headerFrame = false;
    if (type == '>') {
      return;
    }
    RedisCommand<?, ?, ?> head = stack.peek();
    if (head == null) {
      if (!pristine || type != '-') {
        throw new ProtocolViolationException("a reply that no command asked for");
      }
      return;
    }
    pristine = false;
    SplicedOutput<?> out = headOutput();
    if (type == '$' && out != null) {
      owner = head;
      output = out;
      number = 0;
      digits = 0;
      negative = false;
      carriageReturn = false;
      headerFrame = out instanceof HeaderOutput;
      state = State.HEADER;
    }
  }

  private void pass(ChannelHandlerContext ctx, ByteBuf in) {
    int end = scanner.scan(in, in.readerIndex());
    int n = end - in.readerIndex();
    frameBytes += n;
    if (scanner.isComplete()) {
      if (headerFrame) {
        headerReplyBytes = frameBytes;
      }
      boundary();
    }
    ctx.fireChannelRead(in.readRetainedSlice(n));
  }

  private void skipAttribute(ByteBuf in) {
    in.readerIndex(scanner.scan(in, in.readerIndex()));
    if (scanner.isComplete()) {
      boundary();
    }
  }

  private void boundary() {
    state = State.BOUNDARY;
    frameBytes = 0;
    headerFrame = false;
    carriageReturn = false;
  }

  private void readHeader(ChannelHandlerContext ctx, ByteBuf in) {
    while (in.isReadable()) {
      byte b = in.readByte();
      frameBytes++;
      if (carriageReturn) {
        if (b != '\n') {
          throw new ProtocolViolationException("no line feed behind a bulk string's length");
        }
        announced(ctx, negative ? -number : number);
        return;
      }
      if (b >= '0' && b <= '9' && digits < MAX_DIGITS) {
        number = number * 10 + (b - '0');
        digits++;
      } else if (b == '-' && digits == 0 && !negative) {
        negative = true;
      } else if (b == '\r' && digits > 0) {
        carriageReturn = true;
      } else if (b != '$' || digits > 0 || negative) {
        throw new ProtocolViolationException(
            "byte 0x" + Integer.toHexString(b & 0xFF) + " in the length of a bulk string");
      }
    }
  }

  private void announced(ChannelHandlerContext ctx, long n) {
    if (n < -1 || n > Integer.MAX_VALUE) {
      throw new ProtocolViolationException("a bulk string of " + n + " bytes");
    }
    SplicedOutput<?> out = output;
    if (out == null) {
      throw new IllegalStateException("a payload without an output");
    }
    if (n < 0 || !out.takes(n)) {
      owner = null;
      output = null;
      carriageReturn = false;
      if (n < 0) {
        boundary();
      } else {
        scanner.resetInBulk(n);
        state = State.PASS;
      }
      forward(ctx, '$', n);
      return;
    }
    length = n;
    left = n;
    announcementBytes = frameBytes;
    destination = out.beginSpliced(n);
    state = n == 0 ? State.TRAILER : State.PAYLOAD;
    digits = 0;
  }

  private void readPayload(ByteBuf in) {
    int n = (int) Math.min(left, in.readableBytes());
    ByteBuf into = destination;
    if (into == null) {
      in.skipBytes(n);
      metrics.drained(n);
    } else {
      into.writeBytes(in, n);
      metrics.copiedIn(n);
    }
    advance(n);
  }

  private void advance(long n) {
    left -= n;
    if (left == 0) {
      state = State.TRAILER;
    }
  }

  private void readTrailer(ChannelHandlerContext ctx, ByteBuf in) {
    // digits counts the bytes of CR LF that have been seen: the two may be cut apart.
    byte b = in.readByte();
    if (b != (digits == 0 ? '\r' : '\n')) {
      throw new ProtocolViolationException(
          "a bulk string of other than the announced " + length + " bytes");
    }
    if (digits++ == 0) {
      return;
    }
    RedisCommand<?, ?, ?> expected = owner;
    SplicedOutput<?> out = output;
    if (expected == null || out == null || stack.peek() != expected) {
      throw new ProtocolViolationException(
          "the command whose payload this was is no longer the next");
    }
    destination = null;
    owner = null;
    output = null;
    boundary();
    out.end();
    forward(ctx, ':', length);
  }

  private static void forward(ChannelHandlerContext ctx, char type, long number) {
    ByteBuf line = ctx.alloc().buffer(2 + MAX_DIGITS + 2);
    line.writeByte(type);
    line.writeCharSequence(Long.toString(number), StandardCharsets.US_ASCII);
    line.writeByte('\r').writeByte('\n');
    ctx.fireChannelRead(line);
  }

  /** Lets go of a payload that will not be completed. */
  private void abort() {
    SplicedOutput<?> out = output;
    boolean begun = state == State.PAYLOAD || state == State.TRAILER;
    destination = null;
    owner = null;
    output = null;
    boundary();
    if (out != null && begun) {
      out.abort();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    abort();
    ctx.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    abort();
  }
}
