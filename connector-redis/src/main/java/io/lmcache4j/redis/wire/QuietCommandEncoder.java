/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lettuce.core.protocol.CommandEncoder;
import io.lettuce.core.protocol.RedisCommand;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.EncoderException;
import java.util.Collection;

/**
 * Lettuce's encoder without its log: at TRACE that one prints every byte it sends, the password of
 * {@code HELLO … AUTH} and whole payloads among them.
 */
class QuietCommandEncoder extends CommandEncoder {

  @Override
  public void write(ChannelHandlerContext ctx, Object msg, ChannelPromise promise)
      throws Exception {
    if (msg instanceof RedisCommand<?, ?, ?> command) {
      failWith(promise, command);
    } else if (msg instanceof Collection<?> batch) {
      for (Object each : batch) {
        failWith(promise, (RedisCommand<?, ?, ?>) each);
      }
    }
    super.write(ctx, msg, promise);
  }

  /** Lettuce may take a command back that could not be written; see {@link LostCommands}. */
  static void failWith(ChannelPromise promise, RedisCommand<?, ?, ?> command) {
    promise.addListener(
        written -> {
          Throwable cause = written.cause();
          if (cause != null && !command.isDone()) {
            command.completeExceptionally(cause);
          }
        });
  }

  @Override
  protected void encode(ChannelHandlerContext ctx, Object msg, ByteBuf out) {
    if (msg instanceof RedisCommand<?, ?, ?> command) {
      encode(ctx, command, out);
    } else if (msg instanceof Collection<?> batch) {
      for (Object each : batch) {
        encode(ctx, (RedisCommand<?, ?, ?>) each, out);
      }
    }
  }

  // Nothing is left to do once a close is under way.
  @SuppressWarnings("FutureReturnValueIgnored")
  private static void encode(
      ChannelHandlerContext ctx, RedisCommand<?, ?, ?> command, ByteBuf out) {
    try {
      command.encode(out);
    } catch (RuntimeException e) {
      // Half a command would put the connection out of step.
      ctx.close();
      throw new EncoderException("cannot encode a command; the connection is closed", e);
    }
  }
}
