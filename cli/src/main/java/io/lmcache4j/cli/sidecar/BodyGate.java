/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * Lets the parts of one connection's request bodies in, a permit of all connections for each byte,
 * and refuses a request that there is no room for. Permits of a whole body go with it, by {@link
 * #passOn}; of one that never became whole they are given back when the connection ends.
 */
final class BodyGate extends ChannelInboundHandlerAdapter {

  private final Semaphore room;
  private final Supplier<FullHttpResponse> refusal;
  private int arriving;
  private boolean refused;

  /** A permit is a byte; the refusal must be the last answer on its connection. */
  BodyGate(Semaphore room, Supplier<FullHttpResponse> refusal) {
    this.room = room;
    this.refusal = refusal;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    int bytes = message instanceof HttpContent part ? part.content().readableBytes() : 0;
    if (!refused && room.tryAcquire(bytes)) {
      arriving += bytes;
      ctx.fireChannelRead(message);
      return;
    }
    ReferenceCountUtil.release(message);
    if (!refused) {
      refused = true;
      ctx.writeAndFlush(refusal.get());
    }
  }

  /** Whoever has the body, whole and of so many bytes, gives their permits back. */
  void passOn(int bytes) {
    arriving -= bytes;
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    room.release(arriving);
    arriving = 0;
    ctx.fireChannelInactive();
  }
}
