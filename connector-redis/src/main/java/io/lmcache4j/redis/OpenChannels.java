/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.resource.NettyCustomizer;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import java.net.SocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * The sockets of one client, so that those to a server that has gone silent can be closed. Lettuce
 * opens them anew by itself, and what was under way on them ends.
 */
final class OpenChannels implements NettyCustomizer {

  private final NettyCustomizer next;
  private final Set<Channel> channels = ConcurrentHashMap.newKeySet();

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
    channels.add(channel);
    channel.closeFuture().addListener(closed -> channels.remove(channel));
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
