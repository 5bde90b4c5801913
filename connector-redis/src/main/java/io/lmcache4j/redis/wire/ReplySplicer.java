/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.protocol.CommandHandler;
import io.lettuce.core.protocol.RedisCommand;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
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
 * <p>A reply that no server may send, a reply that nobody asked for, a head of the queue that
 * changed in the middle of a frame, or one that is still there behind it: in each case Lettuce and
 * this handler no longer agree where the next reply begins, so the channel is closed, which fails
 * what is in flight and lets Lettuce reconnect. A connection is never left out of step.
 *
 * <p>From the first request to close on, whoever makes it, nothing more is read. Under TLS the
 * channel itself stays open and readable for a while, and Lettuce, which has failed a command by
 * then, would give its reply to the next.
 */
final class ReplySplicer extends ChannelDuplexHandler {

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

  /**
   * How far behind the next reply a payload is looked for: a connection for payloads carries little
   * else.
   */
  private static final int LOOK_AHEAD = 4;

  /** {@code +OK CRLF}, the reply that most commands in front of a get have. */
  private static final int STATUS_BYTES = 5;

  /** {@code $28 CRLF}, the header of one group, CRLF: the reply in front of most payloads. */
  private static final int HEADER_REPLY_BYTES = 35;

  /** {@code $1 CRLF}. */
  private static final int SHORTEST_ANNOUNCEMENT = 4;

  /**
   * How much longer than expected a reply may be before its end is no longer felt for: what is that
   * long is not what stands in front of a payload.
   */
  private static final int MAX_EXCESS = 256;

  /** What is read at a time of a payload that nobody wants. */
  private static final int DRAIN_BYTES = 64 * 1024;

  private final Queue<RedisCommand<?, ?, ?>> stack;
  private final WireMetrics metrics;
  private final RespScanner scanner = new RespScanner();

  private State state = State.BOUNDARY;

  /** Whether any reply has been seen; before the first one a server may refuse us unasked. */
  private boolean pristine = true;

  /** Set once the channel is to be closed: the rest of the stream is nobody's. */
  private boolean closing;

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

  /** First byte of the current frame. */
  private byte type;

  /** The command that the current frame answers; null between frames, and for a push. */
  private @Nullable RedisCommand<?, ?, ?> owner;

  // HEADER, PAYLOAD, TRAILER
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
      if (others > LOOK_AHEAD) {
        return 0;
      }
      if (command.getOutput() instanceof SplicedOutput<?> awaited) {
        int expected = others * STATUS_BYTES + announcementBytes - frameBytes;
        if (awaited instanceof HeaderOutput) {
          expected += headerReplyBytes;
        }
        return expected < -MAX_EXCESS ? 0 : Math.max(expected, carriageReturn ? 1 : CRLF);
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
      fail(ctx, e);
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
      if (closing || !ctx.channel().isActive()) {
        // Closed by what an earlier frame led to.
        return;
      }
      switch (state) {
        case BOUNDARY -> startFrame(in);
        case PASS -> pass(ctx, in);
        case ATTRIBUTE -> skipAttribute(in);
        case HEADER -> readHeader(ctx, in);
        case PAYLOAD -> readPayload(in);
        case TRAILER -> readTrailer(ctx, in);
      }
    }
  }

  private void startFrame(ByteBuf in) {
    type = in.getByte(in.readerIndex());
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
      pristine = false;
      return;
    }
    pristine = false;
    owner = head;
    SplicedOutput<?> out = headOutput();
    if (type == '$' && out != null) {
      in.skipBytes(1);
      frameBytes = 1;
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
    int length = scanner.scan(in, in.readerIndex()) - in.readerIndex();
    requireOwner();
    frameBytes += length;
    ByteBuf part = in.readRetainedSlice(length);
    if (!scanner.isComplete()) {
      ctx.fireChannelRead(part);
      return;
    }
    if (headerFrame) {
      headerReplyBytes = frameBytes;
    }
    handOnEnd(ctx, part);
  }

  /** Lettuce must still wait for the frame that is being read. */
  private void requireOwner() {
    if (owner != null && stack.peek() != owner) {
      throw new ProtocolViolationException(
          "the command whose reply this was is no longer the next");
    }
  }

  /** Hands on the last bytes of a frame, with which Lettuce must be done with its command. */
  private void handOnEnd(ChannelHandlerContext ctx, ByteBuf end) {
    RedisCommand<?, ?, ?> answered = owner;
    owner = null;
    output = null;
    destination = null;
    boundary();
    ctx.fireChannelRead(end);
    // An error may be a redirection, for which a cluster's connection queues the same command
    // again.
    if (answered != null && type != '-' && stack.peek() == answered) {
      throw new ProtocolViolationException("a reply whose end Lettuce did not see");
    }
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
      } else {
        throw new ProtocolViolationException(
            "byte 0x" + Integer.toHexString(b & 0xFF) + " in the length of a bulk string");
      }
    }
  }

  private void announced(ChannelHandlerContext ctx, long n) {
    if (n < -1 || n > RespScanner.MAX_BULK) {
      throw new ProtocolViolationException("a bulk string of " + n + " bytes");
    }
    SplicedOutput<?> out = output;
    if (out == null) {
      throw new IllegalStateException("a payload without an output");
    }
    requireOwner();
    if (n < 0) {
      handOnEnd(ctx, line(ctx, '$', n));
      return;
    }
    if (!out.takes(n)) {
      output = null;
      carriageReturn = false;
      scanner.resetInBulk(n);
      state = State.PASS;
      ctx.fireChannelRead(line(ctx, '$', n));
      return;
    }
    length = n;
    left = n;
    announcementBytes = frameBytes;
    digits = 0;
    // Before the output is asked, so that whatever it took is let go of should it fail.
    state = n == 0 ? State.TRAILER : State.PAYLOAD;
    destination = out.beginSpliced(n);
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
    requireOwner();
    SplicedOutput<?> out = output;
    if (out == null) {
      throw new IllegalStateException("a payload without an output");
    }
    out.end();
    handOnEnd(ctx, line(ctx, ':', length));
  }

  private static ByteBuf line(ChannelHandlerContext ctx, char kind, long number) {
    ByteBuf line = ctx.alloc().buffer(2 + MAX_DIGITS + 2);
    line.writeByte(kind);
    line.writeCharSequence(Long.toString(number), StandardCharsets.US_ASCII);
    return line.writeByte('\r').writeByte('\n');
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

  /**
   * CommandHandler fails the head of its queue on an exception and reads on, one reply out of step:
   * close first.
   */
  private void fail(ChannelHandlerContext ctx, Throwable cause) {
    closing = true;
    abort();
    ctx.close();
    ctx.fireExceptionCaught(cause);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    fail(ctx, cause);
  }

  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    closing = true;
    abort();
    ctx.close(promise);
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
