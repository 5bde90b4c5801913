/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.protocol.RedisCommand;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.wire.WireCommand;
import io.lmcache4j.redis.wire.WireMetrics;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.Timeout;
import io.netty.util.Timer;
import io.netty.util.TimerTask;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Operations over a connection that does nothing by itself: a test says what becomes of each
 * command, and when time is up.
 */
final class OperationFixture {

  static final CacheEngineKey KEY = CacheEngineKey.of("m", 1, 0, 7, DType.BFLOAT16);
  static final int BYTES = 64;
  static final RemoteMetadata METADATA =
      RemoteMetadata.of(MemoryFormat.BINARY_BUFFER, Shape.of(BYTES), DType.NONE);

  final DirectMemory memory = DirectMemory.create(16 * HostMemory.ALIGNMENT);
  final List<WireCommand<?>> dispatched = new ArrayList<>();
  final ConnectorCore core;
  final RecordedEvents events = new RecordedEvents();

  /** What becomes of the signs of life that were asked for, in their order. */
  final List<CompletableFuture<String>> pings = new ArrayList<>();

  int cuts;

  /**
   * What happens inside a dispatch; a command that it does not send can be rejected by throwing.
   */
  Consumer<WireCommand<?>> onDispatch = command -> {};

  private final List<TimerTask> timers = new ArrayList<>();
  private boolean connected = true;

  OperationFixture() {
    this(10 * BYTES);
  }

  OperationFixture(long inFlightBytes) {
    RedisConnectorOptions options =
        RedisConnectorOptions.builder("redis://127.0.0.1:1").inFlightBytes(inFlightBytes).build();
    core =
        new ConnectorCore(
            options,
            new WireMetrics(),
            new Listening(events),
            new OneServer(),
            new ManualTimer(),
            List.of(new DataLane(connection())),
            true);
  }

  CompletableFuture<PutOutcome> put() {
    ChunkBuffer payload = Objects.requireNonNull(memory.tryLease(BYTES));
    return putOperation(payload).start(BYTES);
  }

  PutOperation putOperation(ChunkBuffer payload) {
    return new PutOperation(core, KEY, keys(), header(), payload, 0);
  }

  CompletableFuture<GetOutcome> get() {
    return get(memory);
  }

  CompletableFuture<GetOutcome> get(HostMemory into) {
    return new GetOperation(core, KEY, keys(), into).start(BYTES);
  }

  private static PairLayout.Keys keys() {
    return new PairLayout(new KeyNames(LmcacheVersion.CURRENT, "", "")).keys(KEY);
  }

  byte[] header() {
    byte[] header = new byte[core.codec().encodedLength(METADATA)];
    core.codec().encode("k", METADATA, Unpooled.wrappedBuffer(header).clear());
    return header;
  }

  ByteBudget budget() {
    return node().budget();
  }

  ServerNode node() {
    return core.nodes().of(keys().payload());
  }

  /** The i-th command that was dispatched. */
  WireCommand<?> command(int i) {
    return dispatched.get(i);
  }

  /** Has the i-th command leave, as the encoder does it. */
  String send(int i) {
    ByteBuf out = Unpooled.buffer();
    command(i).encode(out);
    return out.toString(StandardCharsets.ISO_8859_1);
  }

  /** Answers the i-th command, which leaves first if it has not. */
  void answer(int i, String value) {
    answer(i, value.getBytes(StandardCharsets.ISO_8859_1));
  }

  void answer(int i, byte[] value) {
    answer(i, output -> output.set(ByteBuffer.wrap(value)));
  }

  void answerNil(int i) {
    answer(i, output -> output.set((ByteBuffer) null));
  }

  void answerNumber(int i, long number) {
    answer(i, output -> output.set(number));
  }

  void answerError(int i, String error) {
    answer(i, output -> output.setError(error));
  }

  void answer(int i, Consumer<CommandOutput<?, ?, ?>> reply) {
    send(i);
    reply.accept(command(i).getOutput());
    command(i).getOutput().complete(0);
    command(i).complete();
  }

  /** The connection is lost before the i-th command is answered. */
  void lose(int i) {
    command(i).completeExceptionally(new IllegalStateException("connection lost"));
  }

  void connected(boolean connected) {
    this.connected = connected;
  }

  /** Time is up for whatever has been started. */
  void timeOut() throws Exception {
    for (TimerTask task : List.copyOf(timers)) {
      task.run(new ManualTimeout(task));
    }
  }

  int pendingTimeouts() {
    return timers.size();
  }

  @SuppressWarnings("unchecked")
  private StatefulRedisConnection<byte[], byte[]> connection() {
    return (StatefulRedisConnection<byte[], byte[]>)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {StatefulRedisConnection.class},
            (proxy, method, args) -> {
              if (method.getName().equals("isOpen")) {
                return connected;
              }
              if (!method.getName().equals("dispatch") || !(args[0] instanceof RedisCommand)) {
                throw new UnsupportedOperationException(method.toString());
              }
              WireCommand<?> command = (WireCommand<?>) args[0];
              onDispatch.accept(command);
              dispatched.add(command);
              return command;
            });
  }

  private final class OneServer implements ServerNodes.Directory {
    @Override
    public String nodeOf(byte[] redisKey) {
      return "server";
    }

    @Override
    public boolean has(String node) {
      return true;
    }

    @Override
    public CompletableFuture<String> ping(String node) {
      CompletableFuture<String> pong = new CompletableFuture<>();
      pings.add(pong);
      return pong;
    }

    @Override
    public CompletableFuture<String> probe(String node) {
      return new CompletableFuture<>();
    }

    @Override
    public void cut(String node) {
      cuts++;
    }
  }

  private final class ManualTimer implements Timer {
    @Override
    public Timeout newTimeout(TimerTask task, long delay, TimeUnit unit) {
      timers.add(task);
      return new ManualTimeout(task);
    }

    @Override
    public Set<Timeout> stop() {
      return Set.of();
    }
  }

  private final class ManualTimeout implements Timeout {
    private final TimerTask task;

    ManualTimeout(TimerTask task) {
      this.task = task;
    }

    @Override
    public Timer timer() {
      throw new UnsupportedOperationException();
    }

    @Override
    public TimerTask task() {
      return task;
    }

    @Override
    public boolean isExpired() {
      return !timers.contains(task);
    }

    @Override
    public boolean isCancelled() {
      return !timers.contains(task);
    }

    @Override
    public boolean cancel() {
      return timers.remove(task);
    }
  }
}
