/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lettuce.core.protocol.CommandEncoder;
import io.lettuce.core.protocol.CommandWrapper;
import io.lettuce.core.protocol.RedisCommand;
import io.lmcache4j.core.memory.LeaseReleasedException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Lettuce's encoder, except that a payload is written by reference between its head and its tail
 * instead of being copied behind them.
 *
 * <p>It takes the place of {@link CommandEncoder} and does not sit beside it, because that one
 * accepts every object and would encode our buffers to nothing. A batch of commands (Lettuce makes
 * them only for manual flushing, which the connector does not use) goes the copying way.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // The last write of a command carries its promise; the channel
// fails as one.
final class GatheringCommandEncoder extends QuietCommandEncoder {

  /**
   * {@code *N CRLF $3 CRLF SET CRLF}, two lengths and the key: room for a key of usual length
   * without growing.
   */
  private static final int HEAD_BYTES = 256;

  private static final byte[] SET = "\r\n$3\r\nSET\r\n".getBytes(StandardCharsets.US_ASCII);

  private final WireMetrics metrics;

  GatheringCommandEncoder(WireMetrics metrics) {
    this.metrics = metrics;
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object msg, ChannelPromise promise)
      throws Exception {
    if (msg instanceof RedisCommand) {
      RedisCommand<?, ?, ?> command = (RedisCommand<?, ?, ?>) msg;
      if (command.getArgs() instanceof PayloadArgs) {
        failWith(promise, command);
        writePayload(ctx, command, (PayloadArgs) command.getArgs(), promise);
        return;
      }
    }
    super.write(ctx, msg, promise);
  }

  private void writePayload(
      ChannelHandlerContext ctx,
      RedisCommand<?, ?, ?> command,
      PayloadArgs args,
      ChannelPromise promise) {
    ByteBuf head = ctx.alloc().ioBuffer(HEAD_BYTES);
    ByteBuf payload = null;
    ByteBuf tail = null;
    // Everything that can fail is done before the first byte is handed on: half a command would put
    // the connection out of step.
    try {
      payload = acquire(command, args);
      if (payload == null) {
        WireCommand.writePlaceholder(head);
      } else {
        tail = ctx.alloc().ioBuffer(HEAD_BYTES);
        head.writeByte('*').writeByte('1' + args.count()).writeBytes(SET);
        args.encodeHead(head);
        args.encodeTail(tail);
      }
    } catch (RuntimeException | Error e) {
      head.release();
      ReferenceCountUtil.release(payload);
      ReferenceCountUtil.release(tail);
      ctx.channel().close();
      throw e;
    }
    if (payload == null || tail == null) {
      ctx.write(head, promise);
      return;
    }
    metrics.directOut(payload.readableBytes());
    ctx.write(head);
    if (payload.isReadable()) {
      ctx.write(payload);
    } else {
      payload.release();
    }
    ctx.write(tail, promise);
  }

  /**
   * A reference to the payload that lives until Netty lets go of it, or null if the command was
   * given up.
   */
  private static @Nullable ByteBuf acquire(RedisCommand<?, ?, ?> command, PayloadArgs args) {
    WireCommand<?> wire = CommandWrapper.unwrap(command, WireCommand.class);
    if (wire != null && !wire.beginSend()) {
      return null;
    }
    try {
      return args.payload().netty();
    } catch (LeaseReleasedException e) {
      return null;
    }
  }
}
