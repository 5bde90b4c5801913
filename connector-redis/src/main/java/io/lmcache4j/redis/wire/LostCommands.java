/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lettuce.core.RedisException;
import io.lettuce.core.protocol.CommandHandler;
import io.lettuce.core.protocol.RedisCommand;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.List;

/**
 * Fails what was sent on a connection that is lost. For a connection that accepts commands while it
 * is down, as those of a cluster do, Lettuce would keep them and send them again once it is back: a
 * command that its caller has long given up might then undo what came after it, and if the server
 * never comes back, whatever it holds would be held for ever.
 */
final class LostCommands extends ChannelInboundHandlerAdapter {

  private final CommandHandler handler;

  /** Event loop only. */
  private boolean retired;

  /** Stands in front of a handler. */
  LostCommands(CommandHandler handler) {
    this.handler = handler;
  }

  /** Has Lettuce not hear of the end of this channel, whose connection has another. */
  void retire() {
    retired = true;
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    // A copy: what is told of its end may send something.
    for (RedisCommand<?, ?, ?> command : List.copyOf(handler.getStack())) {
      if (!command.isDone()) {
        command.completeExceptionally(new RedisException("Connection disconnected"));
      }
    }
    if (!retired) {
      ctx.fireChannelInactive();
    }
  }
}
