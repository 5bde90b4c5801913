/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Closes a connection only when its client has stopped sending (RFC 9112, section 9.6): a socket
 * closed with bytes unread is reset, and the reset takes an answer from the client that it has not
 * read yet, so a refusal in the middle of a request would look like a server that died.
 *
 * <p>What still arrives is thrown away until a limit.
 */
final class LingeringClose extends ChannelDuplexHandler {

  private final Duration limit;
  private boolean receiving;
  private boolean lingering;

  /** Closes what is still sending after the limit. */
  LingeringClose(Duration limit) {
    this.limit = limit;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    // Behind what the codec could not read there is more of it, which it skips.
    receiving =
        !(message instanceof LastHttpContent) || ((HttpObject) message).decoderResult().isFailure();
    if (!lingering) {
      ctx.fireChannelRead(message);
      return;
    }
    ReferenceCountUtil.release(message);
    if (!receiving) {
      ctx.close();
    }
  }

  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    if (!receiving || !ctx.channel().isActive()) {
      ctx.close(promise);
      return;
    }
    ctx.channel().closeFuture().addListener(closed -> promise.trySuccess());
    if (!lingering) {
      lingering = true;
      ((DuplexChannel) ctx.channel()).shutdownOutput();
      ScheduledFuture<?> atLast =
          ctx.executor().schedule(() -> ctx.close(), limit.toMillis(), TimeUnit.MILLISECONDS);
      ctx.channel().closeFuture().addListener(closed -> atLast.cancel(false));
    }
  }
}
