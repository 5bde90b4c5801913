/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes requests from clients, each whole and one behind the other of a connection. */
final class Front implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Front.class);

  /** They only parse and copy. */
  private static final int EVENT_LOOPS = 2;

  private static final int BACKLOG = 1024;
  private static final long QUIET_MILLIS = 50;

  /** A client that still sends by then does not read its answer. */
  private static final Duration LINGER = Duration.ofSeconds(10);

  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(
          EVENT_LOOPS, new DefaultThreadFactory("sidecar-http"), NioIoHandler.newFactory());
  private final ChannelGroup clients = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final int maxBodyBytes;
  private final Semaphore bodyRoom;
  private final Duration idle;
  private final Consumer<Exchange> requests;
  private final Consumer<HttpResponseStatus> refused;
  private @Nullable Channel listening;

  /**
   * Prepares to listen.
   *
   * @param bodyRoom a permit for each byte of all bodies that are held at one time
   * @param idle after which a connection is closed on which nothing moves either way
   * @param requests is given each request on an event loop, which it must not block
   * @param refused is told of each that is not given on
   */
  Front(
      int maxBodyBytes,
      Semaphore bodyRoom,
      Duration idle,
      Consumer<Exchange> requests,
      Consumer<HttpResponseStatus> refused) {
    this.maxBodyBytes = maxBodyBytes;
    this.bodyRoom = bodyRoom;
    this.idle = idle;
    this.requests = requests;
    this.refused = refused;
  }

  /** Listens; returns where. */
  InetSocketAddress listen(InetSocketAddress address) {
    Channel channel =
        new ServerBootstrap()
            .group(loops)
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel client) {
                    connect(client);
                  }
                })
            .bind(address)
            .syncUninterruptibly()
            .channel();
    listening = channel;
    return (InetSocketAddress) channel.localAddress();
  }

  private void connect(Channel client) {
    clients.add(client);
    BodyGate gate = new BodyGate(bodyRoom, this::noRoom);
    client
        .pipeline()
        .addLast(new IdleStateHandler(0, 0, idle.toMillis(), TimeUnit.MILLISECONDS))
        .addLast(new HttpServerCodec())
        .addLast(new LingeringClose(LINGER))
        .addLast(new HttpServerKeepAliveHandler())
        .addLast(gate)
        .addLast(new WholeRequests())
        .addLast(new Client(gate));
  }

  /** Stops listening, and closes what is left of the clients' connections. */
  @Override
  public void close() {
    stopListening();
    clients.close();
    // Quiet for a moment first: workers that were hung up on may still be heard. A client that is
    // still sending is cut off with its loop.
    loops.shutdownGracefully(QUIET_MILLIS, 1000, TimeUnit.MILLISECONDS).awaitUninterruptibly();
  }

  void stopListening() {
    if (listening != null) {
      listening.close().awaitUninterruptibly();
    }
  }

  private FullHttpResponse tooLong() {
    return refusal(
        HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
        "the request's body is longer than the limit of "
            + maxBodyBytes
            + " bytes (--max-body-mib)");
  }

  private FullHttpResponse noRoom() {
    return refusal(
        HttpResponseStatus.SERVICE_UNAVAILABLE,
        "there is no room for the request's body beside those under way (--body-memory-mib)");
  }

  private FullHttpResponse refusal(HttpResponseStatus status, String message) {
    refused.accept(status);
    return Answers.refusal(status, message);
  }

  /** Refuses a body that is too long, before it is sent where the client asks. */
  private final class WholeRequests extends HttpObjectAggregator {

    WholeRequests() {
      super(maxBodyBytes);
    }

    @Override
    protected Object newContinueResponse(
        HttpMessage start, int maxContentLength, ChannelPipeline pipeline) {
      Object answer = super.newContinueResponse(start, maxContentLength, pipeline);
      return answer instanceof FullHttpResponse refusal
              && refusal.status().equals(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE)
          ? tooLong()
          : answer;
    }

    @Override
    protected void handleOversizedMessage(ChannelHandlerContext ctx, HttpMessage oversized) {
      ctx.writeAndFlush(tooLong());
    }
  }

  /** One connection. */
  private final class Client extends SimpleChannelInboundHandler<FullHttpRequest> {

    private final BodyGate gate;
    private @Nullable Exchange current;
    private @Nullable Exchange next;

    Client(BodyGate gate) {
      this.gate = gate;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
      int bytes = request.content().readableBytes();
      gate.passOn(bytes);
      Exchange exchange =
          new Exchange(
              ctx.channel(),
              request.method().name(),
              request.uri(),
              request.protocolVersion(),
              request.headers().copy(),
              ByteBufUtil.getBytes(request.content()));
      exchange.onOver(() -> bodyRoom.release(bytes));
      if (request.decoderResult().isFailure()) {
        refused.accept(HttpResponseStatus.BAD_REQUEST);
        Answers.error(exchange, HttpResponseStatus.BAD_REQUEST, "not a request of HTTP");
        ctx.close();
      } else if (current == null || current.isOver()) {
        start(exchange);
      } else if (next == null) {
        // A client that has read the last byte sends its next request, even before our end of the
        // answer is written.
        next = exchange;
        current.onOver(() -> ctx.executor().execute(() -> startNext(ctx)));
      } else {
        exchange.clientGone();
        ctx.close();
      }
    }

    private void start(Exchange exchange) {
      current = exchange;
      requests.accept(exchange);
    }

    private void startNext(ChannelHandlerContext ctx) {
      Exchange exchange = next;
      next = null;
      if (exchange != null && ctx.channel().isActive()) {
        start(exchange);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      if (current != null) {
        current.clientGone();
      }
      if (next != null) {
        next.clientGone();
      }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
      if (event instanceof IdleStateEvent) {
        ctx.close();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      // Most often a connection that was reset; its text names no header and no body.
      log.debug("a client's connection failed", cause);
      ctx.close();
    }
  }
}
