/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.protocol.ConnectionWatchdog;
import io.lettuce.core.resource.NettyCustomizer;
import io.lmcache4j.redis.wire.Accelerator;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import java.net.SocketAddress;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * The sockets of one client, so that those to a server that has gone silent can be closed. Lettuce
 * opens them anew by itself, and what was under way on them ends.
 */
final class OpenChannels implements NettyCustomizer {

  private static final String SUCCESSION = "lmcache4j-succession";

  private final NettyCustomizer next;
  private final Set<Channel> channels = ConcurrentHashMap.newKeySet();

  /** What each connection is led over. */
  private final Map<ConnectionWatchdog, Channel> current = new ConcurrentHashMap<>();

  OpenChannels(NettyCustomizer next) {
    this.next = next;
  }

  @Override
  public void afterBootstrapInitialized(Bootstrap bootstrap) {
    next.afterBootstrapInitialized(bootstrap);
  }

  @Override
  public void afterChannelInitialized(Channel channel) {
    next.afterChannelInitialized(channel);
    ChannelPipeline pipeline = channel.pipeline();
    ConnectionWatchdog watchdog = pipeline.get(ConnectionWatchdog.class);
    if (watchdog != null) {
      pipeline.addLast(SUCCESSION, new Succession(watchdog));
    }
    channels.add(channel);
    channel.closeFuture().addListener(closed -> channels.remove(channel));
  }

  /**
   * Closes the channel in whose place another has come. Lettuce sometimes connects twice for one
   * connection that is lost in its handshake; it uses the later of the two, and the other would
   * stay open, one more each time.
   */
  private final class Succession extends ChannelInboundHandlerAdapter {

    private final ConnectionWatchdog connection;

    /** A connection has the same watchdog in all its channels. */
    Succession(ConnectionWatchdog connection) {
      this.connection = connection;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
      Channel before = current.put(connection, ctx.channel());
      if (before != null && !before.equals(ctx.channel()) && before.isOpen()) {
        Accelerator.retire(before);
      }
      ctx.fireChannelActive();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      current.remove(connection, ctx.channel());
      ctx.fireChannelInactive();
    }
  }

  /** Closes what leads to an address, including what is only being connected. */
  void cut(Predicate<SocketAddress> whose) {
    for (Channel channel : channels) {
      SocketAddress address = channel.remoteAddress();
      if (address == null || whose.test(address)) {
        channel.close();
      }
    }
  }
}
