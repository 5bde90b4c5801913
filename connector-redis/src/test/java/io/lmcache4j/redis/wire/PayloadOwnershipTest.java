/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who holds the destination, and until when, as a payload is interrupted in every way there is. */
class PayloadOwnershipTest {

  private final DirectMemory memory = DirectMemory.create(16 * HostMemory.ALIGNMENT);
  private final WireMetrics metrics = new WireMetrics();
  private final LettuceChannel lettuce = new LettuceChannel(true, metrics);
  private final List<@Nullable Throwable> ends = new ArrayList<>();
  private final PayloadOutput first = new PayloadOutput(this::lease, metrics);
  private final PayloadOutput second = new PayloadOutput(this::lease, metrics);
  private int leased;

  @AfterEach
  void nothingIsLeft() {
    lettuce.close();
    assertThat(lettuce.allocatedBytes()).isZero();
    assertThat(memory.leases()).isZero();
    memory.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void revokedBeforeItIsAnnouncedItNeverTouchesMemory(boolean accelerated) {
    try (LettuceChannel channel = new LettuceChannel(accelerated, metrics)) {
      WireCommand<Long> command = get(first);
      channel.send(command);
      first.revoke();

      channel.receive(bytes("$5\r\nhello\r\n"));

      assertThat(leased).isZero();
      assertThat(command.join()).isEqualTo(5);
      assertThat(first.takeLease()).isNull();
      assertThat(metrics.drainedBytes()).isEqualTo(5);
    }
  }

  @Test
  void revokedWhileItArrivesItsLeaseIsHeldUntilTheLastByteIsIn() {
    lettuce.send(get(first));
    lettuce.receive(bytes("$5\r\nhel"));

    first.revoke();

    assertThat(memory.leases()).isOne();
    lettuce.receive(bytes("lo"));
    assertThat(memory.leases()).isOne();
    lettuce.receive(bytes("\r\n"));
    assertThat(memory.leases()).isZero();
    assertThat(first.takeLease()).isNull();
    assertThat(ends).hasSize(1).containsOnlyNulls();
  }

  @Test
  void revokedAfterItArrivedItIsThereForWhoeverTakesIt() {
    lettuce.send(get(first));
    lettuce.receive(bytes("$5\r\nhello\r\n"));

    first.revoke();

    ChunkBuffer lease = Objects.requireNonNull(first.takeLease());
    assertThat(first.takeLease()).isNull();
    lease.release();
  }

  @Test
  void theConnectionIsLostInTheMiddle() {
    lettuce.send(get(first));
    lettuce.receive(bytes("$5\r\nhel"));

    lettuce.channel().close();
    lettuce.channel().runPendingTasks();

    assertThat(memory.leases()).isZero();
    assertThat(ends).hasSize(1).doesNotContainNull();
  }

  @Test
  void aReadThatIsUnderWayKeepsTheLeaseAfterTheConnectionIsLost() {
    lettuce.send(get(first));
    lettuce.receive(bytes("$5\r\nhel"));
    ByteBuf underWay = lettuce.bufferToReceive();
    assertThat(underWay.writableBytes()).isEqualTo(2);

    lettuce.channel().close();
    lettuce.channel().runPendingTasks();

    assertThat(memory.leases()).isOne();
    underWay.writeBytes(bytes("lo"));
    underWay.release();
    assertThat(memory.leases()).isZero();
  }

  @Test
  void aReadThatFailsHandsTheDestinationOverOnceMore() {
    lettuce.send(get(first));
    lettuce.receive(bytes("$5\r\nhel"));
    // As Netty does when it got an error instead of bytes, and the buffer is not empty.
    lettuce.channel().writeInbound(lettuce.bufferToReceive());

    lettuce.receive(bytes("lo\r\n"));

    ChunkBuffer lease = Objects.requireNonNull(first.takeLease());
    assertThat(StandardCharsets.US_ASCII.decode(lease.nio()).toString()).isEqualTo("hello");
    lease.release();
  }

  @Test
  void anExceptionInFrontClosesTheConnection() {
    lettuce.send(get(first));
    lettuce.send(get(second));
    lettuce.receive(bytes("$5\r\nhel"));

    lettuce.channel().pipeline().fireExceptionCaught(new IOException("from in front"));
    lettuce.channel().runPendingTasks();
    // This channel, unlike a socket's, has lost its handlers by the time the exception is passed
    // on.
    assertThatThrownBy(lettuce.channel()::checkException).hasMessage("from in front");

    assertThat(lettuce.isOpen()).isFalse();
    assertThat(memory.leases()).isZero();
    assertThat(ends).hasSize(2).doesNotContainNull();
  }

  @Test
  void aHeadThatChangesInTheMiddleClosesTheConnection() {
    lettuce.send(get(first));
    WireCommand<Long> next = get(second);
    lettuce.send(next);
    lettuce.receive(bytes("$5\r\nhel"));

    Objects.requireNonNull(lettuce.commandHandler().getStack().poll())
        .completeExceptionally(new IllegalStateException("taken away"));
    lettuce.receive(bytes("lo\r\n$3\r\nabc\r\n"));

    assertThat(lettuce.isOpen()).isFalse();
    assertThat(next.isCompletedExceptionally()).isTrue();
    assertThat(leased).isOne();
    assertThat(memory.leases()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"*2\r\n$1\r\na\r\n$1\r\nb\r\n", "$2\r\nab\r\n", "-ERR no\r\n"})
  void aHeadThatChangesInTheMiddleOfAnotherReplyClosesTheConnectionToo(String reply) {
    lettuce.send(get(new HeaderOutput(8, new Deaf())));
    WireCommand<Long> next = get(second);
    lettuce.send(next);
    byte[] bytes = bytes(reply);
    lettuce.receive(bytes, 0, bytes.length - 3, LettuceChannel.Reading.BUFFERS);

    Objects.requireNonNull(lettuce.commandHandler().getStack().poll())
        .completeExceptionally(new IllegalStateException("taken away"));
    lettuce.receive(bytes, bytes.length - 3, bytes.length, LettuceChannel.Reading.BUFFERS);

    assertThat(lettuce.isOpen()).isFalse();
    assertThat(next.isCompletedExceptionally()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"$3\r\nabc\r\n", "$-1\r\n", ":1\r\n"})
  void aReplyWhoseEndLettuceDoesNotSeeClosesTheConnection(String reply) {
    String commandHandler =
        Objects.requireNonNull(lettuce.channel().pipeline().context(lettuce.commandHandler()))
            .name();
    lettuce
        .channel()
        .pipeline()
        .addBefore(
            commandHandler,
            "lost",
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext ctx, Object msg) {
                ReferenceCountUtil.release(msg);
              }
            });
    lettuce.send(get(first));

    lettuce.receive(bytes(reply));

    assertThat(lettuce.isOpen()).isFalse();
    assertThat(ends).hasSize(1).doesNotContainNull();
    ChunkBuffer arrived = first.takeLease();
    if (arrived != null) {
      arrived.release();
    }
  }

  @Test
  void anElementOfAnAggregateIsNotLetIn() {
    lettuce.send(get(first));

    lettuce.receive(bytes("*2\r\n$5\r\nhello\r\n$5\r\nworld\r\n"));

    assertThat(leased).isZero();
    assertThat(lettuce.isOpen()).isTrue();
  }

  /**
   * Under TLS a channel that is closed stays open until the farewell has been written. Lettuce has
   * failed the command whose reply it could not read, and would go on with the next.
   */
  @Test
  void nothingIsReadAnyMoreOnceTheConnectionIsToBeClosed() {
    LingeringClose lingering = new LingeringClose();
    lettuce.channel().pipeline().addFirst(lingering);
    lettuce.send(get(new HeaderOutput(8, new Deaf())));
    WireCommand<Long> next = get(second);
    lettuce.send(next);

    lettuce.receive(bytes(",no number\r\n"));
    assertThat(lingering.asked).isTrue();
    assertThat(lettuce.isOpen()).isTrue();
    lettuce.receive(bytes("$3\r\nabc\r\n"));

    assertThat(next.isDone()).isFalse();
    assertThat(leased).isZero();
    lingering.asked = false;
    lettuce.channel().pipeline().remove(lingering);
    lettuce.channel().close();
    lettuce.channel().runPendingTasks();
    assertThat(next.isCompletedExceptionally()).isTrue();
  }

  @Test
  void closingLetsGoOfAPayloadAtOnceHoweverLongItTakes() {
    LingeringClose lingering = new LingeringClose();
    lettuce.channel().pipeline().addFirst(lingering);
    lettuce.send(get(first));
    lettuce.receive(bytes("$5\r\nhel"));

    lettuce.channel().close();

    assertThat(lettuce.isOpen()).isTrue();
    assertThat(memory.leases()).isZero();
    lettuce.channel().pipeline().remove(lingering);
  }

  private static final class LingeringClose extends ChannelOutboundHandlerAdapter {
    private boolean asked;

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
      asked = true;
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aLeaseOfAnotherLengthIsRefusedAndGivenBack(boolean accelerated) {
    PayloadOutput output = new PayloadOutput(length -> lease(length + 1), metrics);
    try (LettuceChannel channel = new LettuceChannel(accelerated, metrics)) {
      WireCommand<Long> command = get(output);
      channel.send(command);

      channel.receive(bytes("$5\r\nhello\r\n"));

      assertThat(command.isCompletedExceptionally()).isTrue();
      assertThat(output.takeLease()).isNull();
      assertThat(memory.leases()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aSinkThatThrowsFailsItsCommand(boolean accelerated) {
    PayloadOutput output =
        new PayloadOutput(
            length -> {
              throw new IllegalStateException("no memory for this test");
            },
            metrics);
    try (LettuceChannel channel = new LettuceChannel(accelerated, metrics)) {
      WireCommand<Long> command = get(output);
      channel.send(command);

      channel.receive(bytes("$5\r\nhello\r\n"));

      assertThat(command.isCompletedExceptionally()).isTrue();
    }
  }

  @Test
  void bytesThatTheKernelPlacesAreCountedApart() {
    lettuce.send(get(first));
    byte[] reply = bytes("$5\r\nhello\r\n");

    // The first two arrive in a buffer of Netty's choosing, the rest where the splicer wants them.
    lettuce.receive(bytes("$5\r\nhe"));
    lettuce.receive(reply, 6, reply.length, LettuceChannel.Reading.ALLOCATOR);

    assertThat(metrics.copiedInBytes()).isEqualTo(2);
    assertThat(metrics.directInBytes()).isEqualTo(3);
    Objects.requireNonNull(first.takeLease()).release();
  }

  @Test
  void aLongReplyThatIsNoPayloadIsNotReadInCrumbs() {
    lettuce.send(get(first));
    lettuce.receive(bytes("*1\r\n$100000\r\n" + "x".repeat(1000)));

    ByteBuf next = lettuce.bufferToReceive();

    assertThat(next.writableBytes()).isGreaterThan(1000);
    next.release();
  }

  private static final class Deaf implements HeaderOutput.Listener {
    @Override
    public void header(@Nullable ByteBuf bytes) {
      // Not of interest.
    }

    @Override
    public void oversized(long length, int limit) {
      // Not of interest.
    }
  }

  private @Nullable ChunkBuffer lease(long length) {
    leased++;
    return memory.tryLease((int) length);
  }

  private WireCommand<Long> get(SplicedOutput<Long> output) {
    return new WireCommand<>(
        CommandType.GET,
        output,
        new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(bytes("k")),
        ends::add);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
