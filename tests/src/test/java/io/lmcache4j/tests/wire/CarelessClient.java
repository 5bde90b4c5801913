/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.wire;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.redis.wire.Accelerator;
import io.lmcache4j.redis.wire.PayloadArgs;
import io.lmcache4j.redis.wire.WireMetrics;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;

/**
 * What one writes at first: payloads go straight from and into the caller's memory, and the caller
 * has it back when the future is done.
 */
final class CarelessClient implements AutoCloseable {

  private final WireMetrics metrics = new WireMetrics();
  private final ClientResources resources =
      DefaultClientResources.builder().nettyCustomizer(new Accelerator(metrics, true)).build();
  private final RedisClient client = RedisClient.create(resources);
  private final StatefulRedisConnection<byte[], byte[]> connection;

  CarelessClient(String url) {
    RedisURI uri =
        url.startsWith("unix://")
            ? RedisURI.Builder.socket(url.substring("unix://".length())).build()
            : RedisURI.create(url);
    connection = client.connect(ByteArrayCodec.INSTANCE, uri);
  }

  CompletableFuture<?> get(String key, ChunkBuffer into) {
    AsyncCommand<byte[], byte[], Integer> command =
        new AsyncCommand<>(new Command<>(CommandType.GET, new IntoMemory(into.nio()), args(key)));
    connection.dispatch(command);
    return command;
  }

  CompletableFuture<?> put(String key, ChunkBuffer payload) {
    AsyncCommand<byte[], byte[], String> command =
        new AsyncCommand<>(
            new Command<>(
                CommandType.SET,
                new StatusOutput<>(ByteArrayCodec.INSTANCE),
                new PayloadArgs(
                    key.getBytes(StandardCharsets.UTF_8), new Borrowed(payload), 0, metrics)));
    connection.dispatch(command);
    return command;
  }

  /** Returns when everything that was sent before has been answered. */
  void ping() {
    connection.sync().ping();
  }

  private static CommandArgs<byte[], byte[]> args(String key) {
    return new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(key.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void close() {
    client.shutdown();
    resources.shutdown();
  }

  private static final class IntoMemory extends CommandOutput<byte[], byte[], Integer> {
    private final ByteBuffer destination;

    IntoMemory(ByteBuffer destination) {
      super(ByteArrayCodec.INSTANCE, null);
      this.destination = destination;
    }

    @Override
    public void set(ByteBuffer bytes) {
      destination.duplicate().put(bytes);
    }
  }

  /** A buffer whose references are not counted. */
  private record Borrowed(ChunkBuffer lease, ByteBuffer bytes, int length) implements ChunkBuffer {

    Borrowed(ChunkBuffer lease) {
      this(lease, lease.nio(), lease.length());
    }

    @Override
    public long address() {
      return lease.address();
    }

    @Override
    public ByteBuffer nio() {
      return bytes.duplicate();
    }

    @Override
    public ByteBuf netty() {
      return Unpooled.wrappedBuffer(bytes.duplicate());
    }

    @Override
    public boolean isPinned() {
      return false;
    }

    @Override
    public ChunkBuffer retain() {
      return this;
    }

    @Override
    public boolean release() {
      return false;
    }
  }
}
