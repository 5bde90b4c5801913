/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.RedisException;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandType;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On a connection that accepts commands while it is down, as a cluster's does. */
class LostCommandsTest {

  private final DirectMemory memory = DirectMemory.create(HostMemory.ALIGNMENT);
  private final WireMetrics metrics = new WireMetrics();
  private final ChunkBuffer payload = Objects.requireNonNull(memory.tryLease(64));
  private final List<@Nullable Throwable> ends = new ArrayList<>();
  private final WireCommand<String> put =
      new WireCommand<>(
          CommandType.SET,
          new StatusOutput<>(ByteArrayCodec.INSTANCE),
          new PayloadArgs(new byte[] {'k'}, payload, 0, metrics),
          ends::add);

  @AfterEach
  void nothingIsLeft() {
    payload.release();
    assertThat(memory.leases()).isZero();
    memory.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatWasSentOnAConnectionThatIsLostFailsAndIsNotKeptForTheNext(boolean accelerated) {
    try (LettuceChannel lettuce = LettuceChannel.ofCluster(accelerated, metrics)) {
      lettuce.send(put);
      lettuce.sent();
      assertThat(ends).isEmpty();

      lettuce.channel().close();

      assertThat(ends).singleElement().isInstanceOf(RedisException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatCannotBeWrittenFailsAndIsNotKeptForTheNext(boolean accelerated) {
    IOException broken = new IOException("broken pipe");
    try (LettuceChannel lettuce = LettuceChannel.ofCluster(accelerated, metrics)) {
      lettuce
          .channel()
          .pipeline()
          .addFirst(
              new ChannelOutboundHandlerAdapter() {
                @Override
                public void write(ChannelHandlerContext ctx, Object msg, ChannelPromise promise) {
                  ReferenceCountUtil.release(msg);
                  promise.setFailure(broken);
                }
              });

      lettuce.send(put);

      assertThat(ends).containsExactly(broken);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theEndOfAChannelThatIsRetiredFailsWhatItCarriedAndIsNotLettucesConcern(boolean accelerated) {
    List<String> heard = new ArrayList<>();
    try (LettuceChannel lettuce = LettuceChannel.ofCluster(accelerated, metrics)) {
      lettuce
          .channel()
          .pipeline()
          .addLast(
              new ChannelInboundHandlerAdapter() {
                @Override
                public void channelInactive(ChannelHandlerContext ctx) {
                  heard.add("inactive");
                }
              });
      lettuce.send(put);
      lettuce.sent();

      Accelerator.retire(lettuce.channel());
      lettuce.channel().runPendingTasks();

      assertThat(lettuce.isOpen()).isFalse();
      assertThat(ends).singleElement().isInstanceOf(RedisException.class);
      assertThat(heard).isEmpty();
    }
  }
}
