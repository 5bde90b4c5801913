/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.NestedMultiOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Sends the commands of a {@link Transcript}, replays what the server says to them in pieces, and
 * writes down what came of it.
 *
 * <p>Commands: {@code H} a header, {@code P} a payload, {@code R} a payload that is given up once
 * it has been sent, {@code F} a payload for which there is no memory, {@code S} a SET, {@code L} a
 * command whose reply is a list, map or set.
 *
 * <p>Written down: {@code nil}, {@code =bytes}, {@code drained N}, {@code oversized N}, {@code
 * error words} for an error of the server's or an answer of the wrong kind, {@code lost} where no
 * answer came.
 */
final class Conversation {

  /** Longest header. */
  static final int HEADER_LIMIT = 8;

  /** What came of a replay. */
  record Result(List<String> heard, boolean open, long copied, long direct) {}

  private final DirectMemory memory = DirectMemory.create(16 * HostMemory.ALIGNMENT);
  private final WireMetrics metrics = new WireMetrics();
  private final LettuceChannel lettuce;
  private final List<Asked<?>> asked = new ArrayList<>();

  private Conversation(boolean accelerated) {
    lettuce = new LettuceChannel(accelerated, metrics);
  }

  /**
   * Replays.
   *
   * @param cuts positions at which the stream is cut, ascending
   */
  static Result replay(
      Transcript transcript, boolean accelerated, LettuceChannel.Reading reading, int... cuts) {
    Conversation conversation = new Conversation(accelerated);
    try {
      return conversation.run(transcript, reading, cuts);
    } finally {
      conversation.close();
    }
  }

  private Result run(Transcript transcript, LettuceChannel.Reading reading, int... cuts) {
    for (char kind : transcript.asked().toCharArray()) {
      ask(kind);
    }
    byte[] bytes = transcript.bytes();
    int from = 0;
    for (int cut : cuts) {
      lettuce.receive(bytes, from, cut, reading);
      from = cut;
    }
    lettuce.receive(bytes, from, bytes.length, reading);
    boolean open = lettuce.isOpen();
    List<String> heard = new ArrayList<>();
    for (Asked<?> one : asked) {
      heard.add(one.heard());
    }
    if (open) {
      heard.add(pingPong(reading));
    }
    return new Result(heard, open, metrics.copiedInBytes(), metrics.directInBytes());
  }

  /** Only a connection that is in step gives this command this answer. */
  private String pingPong(LettuceChannel.Reading reading) {
    Asked<String> ping = ask(new StatusOutput<>(ByteArrayCodec.INSTANCE), o -> "=" + o.get());
    byte[] pong = "+PONG\r\n".getBytes(StandardCharsets.US_ASCII);
    lettuce.receive(pong, 0, pong.length, reading);
    return ping.heard();
  }

  private void close() {
    lettuce.close();
    for (Asked<?> one : asked) {
      one.release();
      if (one.ends != 1) {
        throw new AssertionError("a command that ended " + one.ends + " times: " + one.command);
      }
    }
    if (memory.leases() != 0) {
      throw new AssertionError("leases are left: " + memory);
    }
    if (lettuce.allocatedBytes() != 0) {
      throw new AssertionError(lettuce.allocatedBytes() + " bytes of buffers are left");
    }
    memory.close();
  }

  private void ask(char kind) {
    switch (kind) {
      case 'H' -> askHeader();
      case 'P' -> askPayload(this::lease);
      case 'F' -> askPayload(length -> null);
      case 'R' -> askPayload(this::lease).revoke();
      case 'S' -> ask(new StatusOutput<>(ByteArrayCodec.INSTANCE), o -> "=" + o.get());
      case 'L' -> ask(new NestedMultiOutput<>(ByteArrayCodec.INSTANCE), o -> text(o.get()));
      default -> throw new IllegalArgumentException("no such command: " + kind);
    }
  }

  private @Nullable ChunkBuffer lease(long length) {
    return memory.tryLease((int) length);
  }

  private PayloadOutput askPayload(PayloadSink sink) {
    PayloadOutput output = new PayloadOutput(sink, metrics);
    ask(
        output,
        o -> {
          ChunkBuffer lease = output.takeLease();
          if (lease == null) {
            return output.isAbsent() ? "nil" : "drained " + output.get();
          }
          String bytes = StandardCharsets.ISO_8859_1.decode(lease.nio()).toString();
          lease.release();
          return "=" + bytes;
        });
    return output;
  }

  private void askHeader() {
    StringBuilder told = new StringBuilder();
    HeaderOutput.Listener listener =
        new HeaderOutput.Listener() {
          @Override
          public void header(@Nullable ByteBuf bytes) {
            told.append(bytes == null ? "nil" : "=" + bytes.toString(StandardCharsets.ISO_8859_1));
          }

          @Override
          public void oversized(long length, int limit) {
            told.append("oversized ").append(length);
          }
        };
    ask(new HeaderOutput(HEADER_LIMIT, listener), o -> told.toString());
  }

  private <T> Asked<T> ask(
      CommandOutput<byte[], byte[], T> output,
      Function<CommandOutput<byte[], byte[], T>, String> value) {
    Asked<T> one = new Asked<>(output, value);
    asked.add(one);
    lettuce.send(one.command);
    return one;
  }

  private static String text(@Nullable Object value) {
    if (value instanceof List<?> list) {
      return list.stream().map(Conversation::text).toList().toString();
    }
    if (value instanceof byte[] bytes) {
      return new String(bytes, StandardCharsets.ISO_8859_1);
    }
    return String.valueOf(value);
  }

  private static final class Asked<T> {

    private final CommandOutput<byte[], byte[], T> output;
    private final Function<CommandOutput<byte[], byte[], T>, String> value;
    private final WireCommand<T> command;
    private int ends;

    Asked(
        CommandOutput<byte[], byte[], T> output,
        Function<CommandOutput<byte[], byte[], T>, String> value) {
      this.output = output;
      this.value = value;
      this.command =
          new WireCommand<>(
              CommandType.GET,
              output,
              new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(new byte[] {'k'}),
              e -> ends++);
    }

    String heard() {
      if (!command.isDone()) {
        return "waits";
      }
      try {
        command.join();
        return value.apply(output);
      } catch (CompletionException e) {
        return e.getCause() instanceof RedisCommandExecutionException
            ? "error " + e.getCause().getMessage()
            : "lost";
      }
    }

    /** Gives back what arrived and was not looked at, because the command failed afterwards. */
    void release() {
      if (output instanceof PayloadOutput payload) {
        ChunkBuffer lease = payload.takeLease();
        if (lease != null) {
          lease.release();
        }
      }
    }
  }
}
