/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.protocol.CommandWrapper;
import io.lettuce.core.protocol.ProtocolKeyword;
import io.lettuce.core.protocol.RedisCommand;
import io.lettuce.core.resource.ClientResources;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GatheringCommandEncoderTest {

  private static final byte[] PING = "*1\r\n$4\r\nPING\r\n".getBytes(StandardCharsets.US_ASCII);

  private final DirectMemory memory = DirectMemory.create(1024 * HostMemory.ALIGNMENT);
  private final WireMetrics metrics = new WireMetrics();
  private final LettuceChannel lettuce = new LettuceChannel(true, metrics);

  @AfterEach
  void nothingIsLeft() {
    lettuce.close();
    assertThat(lettuce.allocatedBytes()).isZero();
    assertThat(memory.leases()).isZero();
    memory.close();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0, 0",
    "1, 1, 0",
    "9, 10, 0",
    "10, 99, 0",
    "99, 100, 0",
    "100, 4096, 0",
    "1, 0, 1",
    "200, 65536, 999",
    "300, 100000, 604800000",
    "70000, 1048576, 9223372036854775807"
  })
  void writesTheBytesThatLettuceWouldWrite(int keyLength, int payloadLength, long expireMillis) {
    Random random = new Random(keyLength + payloadLength);
    byte[] key = new byte[keyLength];
    random.nextBytes(key);
    byte[] value = new byte[payloadLength];
    random.nextBytes(value);
    CommandArgs<byte[], byte[]> plain =
        new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(key).addValue(value);
    if (expireMillis > 0) {
      plain.add("PX").add(expireMillis);
    }
    byte[] expected = sentBy(false, command(CommandType.SET, plain));

    ChunkBuffer payload = lease(value);
    WireCommand<String> gathered = set(key, payload, expireMillis);
    assertThat(sentBy(true, gathered)).isEqualTo(expected);
    WireCommand<String> copied = set(key, payload, expireMillis);
    assertThat(sentBy(false, copied)).isEqualTo(expected);
    payload.release();

    assertThat(metrics.directOutBytes()).isEqualTo(payloadLength);
    assertThat(metrics.copiedOutBytes()).isEqualTo(payloadLength);
  }

  private byte[] sentBy(boolean accelerated, RedisCommand<byte[], byte[], String> command) {
    try (LettuceChannel channel = new LettuceChannel(accelerated, metrics)) {
      channel.send(command);
      return channel.sent();
    }
  }

  @Test
  void aRedirectedCommandIsWrittenAgain() {
    ChunkBuffer payload = lease(bytes("payload"));
    WireCommand<String> command = set(bytes("k"), payload, 0);
    lettuce.send(command);
    byte[] first = lettuce.sent();

    try (LettuceChannel other = new LettuceChannel(true, metrics)) {
      other.send(command);
      assertThat(other.sent()).isEqualTo(first).endsWith(bytes("payload\r\n"));
    }
    payload.release();
  }

  @Test
  void theLeaseIsHeldUntilTheBytesHaveLeft() {
    ChunkBuffer payload = lease(bytes("payload"));
    lettuce.send(set(bytes("k"), payload, 0));
    payload.release();

    assertThat(memory.leases()).isOne();
    assertThat(lettuce.sent()).endsWith(bytes("payload\r\n"));
    assertThat(memory.leases()).isZero();
  }

  @Test
  void aCommandGivenUpBeforeItIsWrittenIsNotWritten() {
    ChunkBuffer payload = lease(bytes("payload"));
    List<@Nullable Throwable> ends = new ArrayList<>();
    WireCommand<String> command = set(bytes("k"), payload, 0, ends);

    command.giveUp();
    payload.release();
    lettuce.send(command);

    assertThat(lettuce.sent()).isEmpty();
    assertThat(ends).hasSize(1).containsOnlyNulls();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aCommandGivenUpInTheLastMomentIsAPing(boolean accelerated) {
    try (LettuceChannel channel = new LettuceChannel(accelerated, metrics)) {
      ChunkBuffer payload = lease(bytes("payload"));
      List<@Nullable Throwable> ends = new ArrayList<>();
      WireCommand<String> command = set(bytes("k"), payload, 0, ends);
      WireCommand<String> small =
          command(CommandType.GET, new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(bytes("k")));
      channel.channel().pipeline().addBefore(handlerName(channel), "late", new GiveUp());

      channel.send(command);
      payload.release();
      channel.send(small);

      assertThat(channel.sent()).isEqualTo(concat(PING, PING));
      assertThat(ends).hasSize(1).containsOnlyNulls();
      channel.receive(bytes("+PONG\r\n+PONG\r\n"));
      assertThat(channel.commandHandler().getStack()).isEmpty();
      assertThat(channel.isOpen()).isTrue();
      assertThat(ends).hasSize(1);
    }
  }

  /** Between CommandHandler, which takes the command for wanted, and the encoder. */
  private static final class GiveUp extends ChannelOutboundHandlerAdapter {
    @Override
    public void write(ChannelHandlerContext ctx, Object msg, ChannelPromise promise) {
      Objects.requireNonNull(CommandWrapper.unwrap((RedisCommand<?, ?, ?>) msg, WireCommand.class))
          .giveUp();
      ctx.write(msg, promise);
    }
  }

  private static String handlerName(LettuceChannel channel) {
    return Objects.requireNonNull(channel.channel().pipeline().context(channel.commandHandler()))
        .name();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aPayloadThatSomebodyReleasedIsNotSent(boolean accelerated) {
    try (LettuceChannel channel = new LettuceChannel(accelerated, metrics)) {
      ChunkBuffer payload = lease(bytes("payload"));
      WireCommand<String> command = set(bytes("k"), payload, 0);
      payload.release();

      channel.send(command);

      assertThat(channel.sent()).isEqualTo(PING);
      channel.receive(bytes("+PONG\r\n"));
      assertThat(command.join()).isEqualTo("PONG");
      assertThat(channel.isOpen()).isTrue();
    }
  }

  @Test
  void aBatchIsCopied() {
    ChunkBuffer payload = lease(bytes("payload"));
    WireCommand<String> one = set(bytes("a"), payload, 0);
    WireCommand<String> two = set(bytes("b"), payload, 0);
    byte[] expected =
        concat(
            sentBy(false, set(bytes("a"), payload, 0)), sentBy(false, set(bytes("b"), payload, 0)));
    long copiedBefore = metrics.copiedOutBytes();

    lettuce.channel().writeAndFlush(List.of(one, two));

    assertThat(lettuce.sent()).isEqualTo(expected);
    assertThat(metrics.copiedOutBytes() - copiedBefore).isEqualTo(14);
    assertThat(metrics.directOutBytes()).isZero();
    payload.release();
  }

  @Test
  void aBatchKeepsTheOrderOfRepliesWhenOneOfItWasGivenUp() {
    ChunkBuffer payload = lease(bytes("payload"));
    WireCommand<String> one = set(bytes("a"), payload, 0);
    WireCommand<String> two = set(bytes("b"), payload, 0);
    one.giveUp();

    lettuce.channel().writeAndFlush(List.of(one, two));

    assertThat(lettuce.sent()).isEqualTo(sentBy(false, set(bytes("b"), payload, 0)));
    lettuce.receive(bytes("+OK\r\n"));
    assertThat(two.join()).isEqualTo("OK");
    payload.release();
  }

  @Test
  void wrappersOfLettuceAreSeenThrough() {
    ChunkBuffer payload = lease(bytes("payload"));
    WireCommand<String> command = set(bytes("k"), payload, 0);
    byte[] expected = sentBy(false, set(bytes("k"), payload, 0));

    lettuce.send(new CommandWrapper<>(new CommandWrapper<>(command)));

    assertThat(metrics.directOutBytes()).isEqualTo(7);
    assertThat(lettuce.sent()).isEqualTo(expected);
    lettuce.receive(bytes("+OK\r\n"));
    assertThat(command.join()).isEqualTo("OK");
    payload.release();
  }

  @Test
  void aCommandSentWhileTheConnectionIsMadeIsSeenThroughItsWrapper() {
    ChunkBuffer payload = lease(bytes("payload"));
    WireCommand<String> command = set(bytes("k"), payload, 0);

    lettuce.sendOnActivation(command);

    assertThat(metrics.directOutBytes()).isEqualTo(7);
    assertThat(lettuce.sent()).endsWith(bytes("payload\r\n"));
    payload.release();
  }

  @Test
  void aWrappedCommandThatWasGivenUpIsNotSent() {
    ChunkBuffer payload = lease(bytes("payload"));
    WireCommand<String> command = set(bytes("k"), payload, 0);
    lettuce.channel().pipeline().addBefore(handlerName(lettuce), "late", new GiveUp());

    lettuce.send(new CommandWrapper<>(command));
    payload.release();

    assertThat(lettuce.sent()).isEqualTo(PING);
  }

  @Test
  void latencyIsMeasuredAsForAnyOtherCommand() {
    List<ProtocolKeyword> measured = new ArrayList<>();
    ClientResources resources =
        LettuceChannel.RESOURCES.mutate().commandLatencyRecorder(new Recorder(measured)).build();
    try (LettuceChannel channel = new LettuceChannel(true, metrics, resources)) {
      ChunkBuffer payload = lease(bytes("payload"));
      WireCommand<String> stored = set(bytes("k"), payload, 0);
      PayloadOutput output = new PayloadOutput(n -> memory.tryLease((int) n), metrics);
      WireCommand<Long> read =
          new WireCommand<>(
              CommandType.GET,
              output,
              new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(bytes("k")),
              e -> {});

      channel.send(stored);
      channel.send(read);
      channel.sent();
      channel.receive(bytes("+OK\r\n$7\r\npayload\r\n"));

      assertThat(stored.join()).isEqualTo("OK");
      assertThat(read.join()).isEqualTo(7);
      assertThat(measured).containsExactly(CommandType.SET, CommandType.GET);
      payload.release();
      Objects.requireNonNull(output.takeLease()).release();
    }
  }

  private record Recorder(List<ProtocolKeyword> measured) implements CommandLatencyRecorder {
    @Override
    public void recordCommandLatency(
        SocketAddress local,
        SocketAddress remote,
        ProtocolKeyword type,
        long firstResponse,
        long completion) {
      measured.add(type);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void aCommandForWhichThereIsNoBufferLeavesNothing(int buffersToHave) {
    ChunkBuffer payload = lease(bytes("payload"));
    List<@Nullable Throwable> ends = new ArrayList<>();
    WireCommand<String> command = set(bytes("k"), payload, 0, ends);
    Exhausted allocator = new Exhausted(buffersToHave);
    lettuce.channel().config().setAllocator(allocator);

    lettuce.send(command);
    payload.release();

    assertThat(lettuce.sent()).isEmpty();
    assertThat(allocator.usedBytes()).isZero();
    assertThat(ends).hasSize(1).doesNotContainNull();
    assertThat(lettuce.commandHandler().getStack()).isEmpty();
  }

  /** Has a number of direct buffers and then no more. */
  private static final class Exhausted extends AbstractByteBufAllocator {
    private final UnpooledByteBufAllocator backing = new UnpooledByteBufAllocator(true);
    private int left;

    Exhausted(int left) {
      this.left = left;
    }

    long usedBytes() {
      return backing.metric().usedDirectMemory();
    }

    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
      return backing.heapBuffer(initialCapacity, maxCapacity);
    }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
      if (left-- <= 0) {
        throw new OutOfMemoryError("no direct buffer for this test");
      }
      return backing.directBuffer(initialCapacity, maxCapacity);
    }

    @Override
    public boolean isDirectBufferPooled() {
      return false;
    }
  }

  @Test
  void whatIsQueuedWhenTheConnectionClosesIsLetGoOf() {
    ChunkBuffer payload = lease(bytes("payload"));
    List<@Nullable Throwable> ends = new ArrayList<>();
    lettuce.channel().pipeline().addFirst("stalled", new Stalled());
    lettuce.send(set(bytes("k"), payload, 0, ends));
    payload.release();
    assertThat(memory.leases()).isOne();

    lettuce.channel().close();
    lettuce.channel().runPendingTasks();

    assertThat(memory.leases()).isZero();
    assertThat(ends).hasSize(1).doesNotContainNull();
  }

  /** Leaves everything in the channel's outbound buffer, as a peer does that does not read. */
  private static final class Stalled extends ChannelOutboundHandlerAdapter {
    @Override
    public void flush(ChannelHandlerContext ctx) {
      // Not before the end of time.
    }
  }

  @Test
  void neitherLogsNorTracesTurnThePayloadIntoText() {
    ChunkBuffer payload = lease(bytes("payload"));
    PayloadArgs args = new PayloadArgs(bytes("k"), payload, 0, metrics);

    assertThat(args.toString()).isEqualTo("PayloadArgs[7 bytes]");
    assertThat(args.toCommandString()).doesNotContain("payload");
    payload.release();
  }

  private ChunkBuffer lease(byte[] value) {
    ChunkBuffer lease = Objects.requireNonNull(memory.tryLease(value.length));
    ByteBuffer bytes = lease.nio();
    bytes.put(value);
    return lease;
  }

  private WireCommand<String> set(byte[] key, ChunkBuffer payload, long expireMillis) {
    return set(key, payload, expireMillis, new ArrayList<>());
  }

  private WireCommand<String> set(
      byte[] key, ChunkBuffer payload, long expireMillis, List<@Nullable Throwable> ends) {
    return new WireCommand<>(
        CommandType.SET,
        new StatusOutput<>(ByteArrayCodec.INSTANCE),
        new PayloadArgs(key, payload, expireMillis, metrics),
        ends::add);
  }

  private static WireCommand<String> command(CommandType type, CommandArgs<byte[], byte[]> args) {
    return new WireCommand<>(type, new StatusOutput<>(ByteArrayCodec.INSTANCE), args, e -> {});
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }
}
