/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.protocol.CommandEncoder;
import io.lettuce.core.protocol.CommandHandler;
import io.lettuce.core.protocol.ConnectionFacade;
import io.lettuce.core.protocol.DefaultEndpoint;
import io.lettuce.core.protocol.RedisCommand;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * A channel with Lettuce's own handlers, in Lettuce's order, and ours put among them by {@link
 * Accelerator}; everything happens on the thread that calls.
 */
final class LettuceChannel implements AutoCloseable {

  static final ClientResources RESOURCES =
      DefaultClientResources.builder()
          .commandLatencyRecorder(CommandLatencyRecorder.disabled())
          .build();

  /** How the bytes of the server get into the channel. */
  enum Reading {
    /** Each piece in a buffer of its own, as under TLS. */
    BUFFERS,
    /** Into whatever the channel's receive allocator hands out, as sockets do. */
    ALLOCATOR
  }

  /** As {@code LettuceSettings} has them. */
  private static ClientOptions options(DisconnectedBehavior whileDisconnected) {
    return ClientOptions.builder()
        .disconnectedBehavior(whileDisconnected)
        .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
        .build();
  }

  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
  private final EmbeddedChannel channel;
  private final DefaultEndpoint endpoint;
  private final CommandHandler commandHandler;
  private Runnable onActivation = () -> {};
  private final List<Throwable> atTheTail = new ArrayList<>();

  LettuceChannel(boolean accelerated, WireMetrics metrics) {
    this(accelerated, metrics, RESOURCES);
  }

  LettuceChannel(boolean accelerated, WireMetrics metrics, ClientResources resources) {
    this(accelerated, metrics, resources, DisconnectedBehavior.REJECT_COMMANDS);
  }

  /** A channel as a cluster has them. */
  static LettuceChannel ofCluster(boolean accelerated, WireMetrics metrics) {
    return new LettuceChannel(
        accelerated, metrics, RESOURCES, DisconnectedBehavior.ACCEPT_COMMANDS);
  }

  private LettuceChannel(
      boolean accelerated,
      WireMetrics metrics,
      ClientResources resources,
      DisconnectedBehavior whileDisconnected) {
    ClientOptions options = options(whileDisconnected);
    endpoint = new DefaultEndpoint(options, resources);
    endpoint.setConnectionFacade(
        new ConnectionFacade() {
          @Override
          public void activated() {
            onActivation.run();
          }

          @Override
          public void deactivated() {}
        });
    commandHandler = new CommandHandler(options, resources, endpoint);
    channel =
        new EmbeddedChannel(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel ch) {
                ch.config().setAllocator(allocator);
                ch.pipeline().addLast(new CommandEncoder(), commandHandler, new Tail());
                new Accelerator(metrics, accelerated).afterChannelInitialized(ch);
              }
            });
  }

  /** What Lettuce reports to nobody in particular, such as a push that it cannot make out. */
  private final class Tail extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      atTheTail.add(cause);
    }
  }

  EmbeddedChannel channel() {
    return channel;
  }

  CommandHandler commandHandler() {
    return commandHandler;
  }

  <T> void send(RedisCommand<byte[], byte[], T> command) {
    endpoint.write(command);
    channel.runPendingTasks();
  }

  boolean isOpen() {
    return channel.isOpen();
  }

  /** What a socket would be given to read into. */
  ByteBuf bufferToReceive() {
    return channel.unsafe().recvBufAllocHandle().allocate(channel.alloc());
  }

  /** Lets the server say something; nothing more is heard once the channel is closed. */
  void receive(byte[] bytes, int from, int to, Reading reading) {
    if (reading == Reading.BUFFERS) {
      if (from < to && channel.isOpen()) {
        channel.writeInbound(allocator.buffer(to - from).writeBytes(bytes, from, to - from));
      }
      return;
    }
    int at = from;
    while (at < to && channel.isOpen()) {
      ByteBuf buffer = bufferToReceive();
      int n = Math.min(buffer.writableBytes(), to - at);
      buffer.writeBytes(bytes, at, n);
      at += n;
      channel.writeInbound(buffer);
    }
  }

  void receive(byte[] bytes) {
    receive(bytes, 0, bytes.length, Reading.BUFFERS);
  }

  /** Sends a command the way a connection sends its first ones. */
  void sendOnActivation(RedisCommand<byte[], byte[], ?> command) {
    onActivation = () -> endpoint.write(command);
    channel.pipeline().fireChannelActive();
    channel.runPendingTasks();
  }

  /** Bytes of buffers that nobody has released; 0 once this is closed. */
  long allocatedBytes() {
    return allocator.metric().usedDirectMemory() + allocator.metric().usedHeapMemory();
  }

  /** What has been sent since this was asked last. */
  byte[] sent() {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (Object o = channel.readOutbound(); o != null; o = channel.readOutbound()) {
      ByteBuf buffer = (ByteBuf) o;
      byte[] bytes = new byte[buffer.readableBytes()];
      buffer.readBytes(bytes);
      all.writeBytes(bytes);
      ReferenceCountUtil.release(buffer);
    }
    return all.toByteArray();
  }

  @Override
  public void close() {
    channel.finishAndReleaseAll();
  }
}
