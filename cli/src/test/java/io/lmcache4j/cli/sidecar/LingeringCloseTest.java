/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpServerCodec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Against a server that hangs up on the first thing it hears of a request. */
class LingeringCloseTest {

  private static final String HEAD =
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n";

  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final AtomicInteger heard = new AtomicInteger();

  @AfterEach
  void stop() {
    loops.shutdownGracefully().awaitUninterruptibly();
  }

  @Test
  void aClientThatNeverStopsSendingIsCutOff() throws Exception {
    try (Socket client = connect(Duration.ofMillis(200))) {
      client.getOutputStream().write(HEAD.getBytes(US_ASCII));
      assertThat(client.getInputStream().read()).isEqualTo(-1);
      assertThatThrownBy(() -> sendOn(client)).isInstanceOf(IOException.class);
      assertThat(heard).hasValue(1);
    }
  }

  @Test
  void aClientThatHasSentItsRequestIsNotWaitedFor() throws Exception {
    try (Socket client = connect(Duration.ofHours(1))) {
      client.getOutputStream().write("GET / HTTP/1.1\r\nHost: h\r\n\r\n".getBytes(US_ASCII));
      assertThat(client.getInputStream().read()).isEqualTo(-1);
      assertThatThrownBy(() -> sendOn(client)).isInstanceOf(IOException.class);
    }
  }

  private static void sendOn(Socket client) throws IOException {
    while (true) {
      client.getOutputStream().write(new byte[1 << 10]);
    }
  }

  private Socket connect(Duration limit) throws IOException {
    Channel server =
        new ServerBootstrap()
            .group(loops)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel
                        .pipeline()
                        .addLast(new HttpServerCodec())
                        .addLast(new LingeringClose(limit))
                        .addLast(new HangsUp());
                  }
                })
            .bind(InetAddress.getLoopbackAddress(), 0)
            .syncUninterruptibly()
            .channel();
    InetSocketAddress address = (InetSocketAddress) server.localAddress();
    return new Socket(address.getAddress(), address.getPort());
  }

  private final class HangsUp extends SimpleChannelInboundHandler<HttpObject> {

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, HttpObject message) {
      heard.incrementAndGet();
      // A second time changes nothing.
      ctx.close();
      ctx.close();
    }
  }
}
