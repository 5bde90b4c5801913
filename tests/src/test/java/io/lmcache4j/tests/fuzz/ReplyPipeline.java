/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.protocol.CommandEncoder;
import io.lettuce.core.protocol.CommandHandler;
import io.lettuce.core.protocol.Endpoint;
import io.lettuce.core.protocol.RedisCommand;
import io.lettuce.core.resource.ClientResources;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.redis.wire.Accelerator;
import io.lmcache4j.redis.wire.WireMetrics;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntSupplier;

/**
 * Lettuce's own pipeline on a channel without a socket, with the connector's handlers or without,
 * and commands that wait for their replies.
 */
final class ReplyPipeline {

  /** Made once: it starts threads. */
  private static final ClientResources RESOURCES = ClientResources.create();

  private static final int MEMORY_BYTES = 1 << 20;

  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
  private final HostMemory memory = DirectMemory.create(MEMORY_BYTES);
  private final List<Ask> asks = new ArrayList<>();
  private final EmbeddedChannel channel;

  ReplyPipeline(boolean accelerated, List<Ask.Kind> kinds) {
    WireMetrics metrics = new WireMetrics();
    channel = new EmbeddedChannel(false, false);
    channel.config().setAllocator(allocator);
    channel
        .pipeline()
        .addLast(
            new CommandEncoder(),
            new CommandHandler(ClientOptions.create(), RESOURCES, endpoint()));
    Accelerator accelerator = new Accelerator(metrics, accelerated);
    accelerator.afterChannelInitialized(channel);
    assertThat(accelerator.isActive()).isEqualTo(accelerated);
    try {
      channel.register();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    for (Ask.Kind kind : kinds) {
      Ask ask = new Ask(kind, memory, metrics);
      asks.add(ask);
      channel.writeOutbound(ask.command());
    }
    channel.releaseOutbound();
  }

  /** An endpoint without a reconnect: what was in flight when the channel went has failed. */
  private static Endpoint endpoint() {
    return (Endpoint)
        Proxy.newProxyInstance(
            Endpoint.class.getClassLoader(),
            new Class<?>[] {Endpoint.class},
            (proxy, method, args) ->
                switch (method.getName()) {
                  case "getPushListeners" -> List.of();
                  case "getId" -> "fuzz";
                  case "notifyDrainQueuedCommands" -> {
                    for (RedisCommand<?, ?, ?> command : ((CommandHandler) args[0]).drainQueue()) {
                      command.completeExceptionally(new Ask.ConnectionLost());
                    }
                    yield null;
                  }
                  default -> null;
                });
  }

  /**
   * Lets a stream arrive as a transport does: it reads into what the channel's allocator gives it.
   *
   * @param stream the bytes
   * @param cuts how many bytes each read finds; 1 or more
   */
  @SuppressWarnings(
      "deprecation") // As a transport does: only the type of its handle is deprecated.
  void receive(byte[] stream, IntSupplier cuts) {
    RecvByteBufAllocator.Handle reads =
        channel.config().<RecvByteBufAllocator>getRecvByteBufAllocator().newHandle();
    reads.reset(channel.config());
    for (int at = 0; at < stream.length && channel.isOpen(); ) {
      ByteBuf into = reads.allocate(allocator);
      int n = Math.min(Math.min(cuts.getAsInt(), stream.length - at), into.writableBytes());
      into.writeBytes(stream, at, n);
      reads.attemptedBytesRead(n);
      reads.lastBytesRead(n);
      at += n;
      channel.pipeline().fireChannelRead(into);
    }
    channel.runPendingTasks();
  }

  boolean isOpen() {
    return channel.isOpen();
  }

  /** Bytes that the pipeline holds for what has arrived. */
  long heldBytes() {
    return allocator.metric().usedDirectMemory() + allocator.metric().usedHeapMemory();
  }

  /** Closes the channel and checks that everything was given back. */
  void close() {
    channel.close();
    try {
      channel.checkException();
    } catch (Throwable e) {
      // Lettuce's own come through where it has closed the channel first; ours must be typed.
      // A JVM may leave out the stack of one that it has thrown often.
      boolean ours =
          Arrays.stream(e.getStackTrace())
              .limit(1)
              .anyMatch(at -> at.getClassName().startsWith("io.lmcache4j."));
      assertThat(ours && !(e instanceof LmcacheException)).as("%s", e).isFalse();
    }
    channel.finishAndReleaseAll();
    assertThat(memory.leases()).as("leases").isZero();
    assertThat(heldBytes()).as("bytes of buffers").isZero();
    assertThat(asks).allSatisfy(ask -> assertThat(ask.ends()).as("ends").isEqualTo(1));
    memory.close();
  }

  /** What was replied, up to the first command that has no reply. */
  List<String> results() {
    List<String> results = new ArrayList<>();
    for (Ask ask : asks) {
      String result = ask.result();
      if (result == null) {
        break;
      }
      results.add(result);
    }
    return results;
  }
}
