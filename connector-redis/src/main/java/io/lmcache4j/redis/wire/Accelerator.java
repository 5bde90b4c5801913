/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lettuce.core.protocol.CommandEncoder;
import io.lettuce.core.protocol.CommandHandler;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslHandler;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the zero-copy handlers into each channel that Lettuce makes, reconnects included, and keeps
 * what is sent out of Lettuce's log ({@link QuietCommandEncoder}), with or without them.
 *
 * <p>If the pipeline does not look as expected (another Lettuce, another customizer), it is left as
 * it is and said once: payloads are then copied, and everything stays correct.
 */
public final class Accelerator implements NettyCustomizer {

  private static final Logger log = LoggerFactory.getLogger(Accelerator.class);

  private static final String LOST = "lmcache4j-lost";
  private static final String SPLICER = "lmcache4j-splicer";
  private static final String ENCODER = "lmcache4j-encoder";

  private final WireMetrics metrics;
  private final boolean enabled;
  private final AtomicBoolean told = new AtomicBoolean();
  private volatile boolean active;
  private volatile String transport = "none";

  /**
   * Creates a customizer for one client.
   *
   * @param metrics counts payload bytes by how they crossed
   * @param enabled false to leave payloads to Lettuce, which copies them
   */
  public Accelerator(WireMetrics metrics, boolean enabled) {
    this.metrics = metrics;
    this.enabled = enabled;
  }

  /**
   * How Netty reads and writes the sockets.
   *
   * @return {@code epoll}, {@code kqueue}, {@code io_uring} or {@code nio}; {@code none} before the
   *     first channel
   */
  public String transport() {
    return transport;
  }

  /**
   * Whether the channels of this client carry the handlers.
   *
   * @return true once the first channel has been fitted, false when one could not be
   */
  public boolean isActive() {
    return active;
  }

  @Override
  public void afterChannelInitialized(Channel channel) {
    transport = transport(channel);
    ChannelPipeline pipeline = channel.pipeline();
    CommandHandler handler = pipeline.get(CommandHandler.class);
    CommandEncoder encoder = pipeline.get(CommandEncoder.class);
    // Exactly these classes: a subclass (pub/sub has one) reads its replies in its own way.
    if (handler == null
        || encoder == null
        || handler.getClass() != CommandHandler.class
        || encoder.getClass() != CommandEncoder.class) {
      active = false;
      if (told.compareAndSet(false, true)) {
        log.warn(
            "Lettuce's pipeline is not the expected one ({}); payloads are copied",
            pipeline.names());
      }
      return;
    }
    pipeline.addBefore(pipeline.context(handler).name(), LOST, new LostCommands(handler));
    if (!enabled) {
      pipeline.replace(encoder, ENCODER, new QuietCommandEncoder());
      return;
    }
    ReplySplicer splicer = new ReplySplicer(handler, metrics);
    pipeline.replace(encoder, ENCODER, new GatheringCommandEncoder(metrics));
    pipeline.addBefore(LOST, SPLICER, splicer);
    if (pipeline.get(SslHandler.class) == null) {
      channel.config().setRecvByteBufAllocator(new TargetedReceive(splicer));
    }
    active = true;
  }

  /**
   * Closes a channel whose connection has another by now, without Lettuce taking that for the end
   * of the connection. What was sent on it fails.
   *
   * @param channel a channel
   */
  @SuppressWarnings("FutureReturnValueIgnored") // Nothing is left to do.
  public static void retire(Channel channel) {
    channel
        .eventLoop()
        .execute(
            () -> {
              LostCommands lost = channel.pipeline().get(LostCommands.class);
              if (lost != null) {
                lost.retire();
                channel.close();
              }
            });
  }

  /**
   * From the channel's class, which is the only thing that tells: {@code EpollSocketChannel},
   * {@code NioSocketChannel}.
   */
  private static String transport(Channel channel) {
    String name = channel.getClass().getSimpleName();
    if (name.startsWith("Epoll")) {
      return "epoll";
    }
    if (name.startsWith("KQueue")) {
      return "kqueue";
    }
    return name.startsWith("IoUring") ? "io_uring" : "nio";
  }
}
