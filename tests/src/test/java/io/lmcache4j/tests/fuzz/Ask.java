/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import io.lettuce.core.RedisException;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.ByteArrayOutput;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.redis.wire.HeaderOutput;
import io.lmcache4j.redis.wire.PayloadOutput;
import io.lmcache4j.redis.wire.WireCommand;
import io.lmcache4j.redis.wire.WireMetrics;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import org.jspecify.annotations.Nullable;

/** A command that waits for its reply, and what became of it. */
final class Ask {

  /** The kinds of replies that the connector waits for. */
  enum Kind {
    PAYLOAD,
    REVOKED_PAYLOAD,
    HEADER,
    INTEGER,
    STATUS,
    BYTES
  }

  /** A value longer than this is no header. */
  static final int HEADER_LIMIT = 48;

  private static final int MAX_PAYLOAD = 1 << 16;

  /** Why there was no reply. */
  static final class ConnectionLost extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private final Kind kind;
  private final HostMemory memory;
  private final CommandOutput<byte[], byte[], ?> output;
  private final StringBuilder heard = new StringBuilder();
  private final WireCommand<?> command;
  private int ends;
  private @Nullable String result;

  Ask(Kind kind, HostMemory memory, WireMetrics metrics) {
    this.kind = kind;
    this.memory = memory;
    this.output = output(metrics);
    if (kind == Kind.REVOKED_PAYLOAD) {
      ((PayloadOutput) output).revoke();
    }
    command =
        new WireCommand<>(
            CommandType.GET, output, new CommandArgs<>(ByteArrayCodec.INSTANCE), this::ended);
  }

  WireCommand<?> command() {
    return command;
  }

  /** How often the command has said that it has ended. */
  int ends() {
    return ends;
  }

  /** What was replied; null before there was a reply, or where none came. */
  @Nullable String result() {
    return result;
  }

  private CommandOutput<byte[], byte[], ?> output(WireMetrics metrics) {
    return switch (kind) {
      case PAYLOAD, REVOKED_PAYLOAD -> new PayloadOutput(this::accept, metrics);
      case HEADER -> new HeaderOutput(HEADER_LIMIT, listener());
      case INTEGER -> new IntegerOutput<>(ByteArrayCodec.INSTANCE);
      case STATUS -> new StatusOutput<>(ByteArrayCodec.INSTANCE);
      case BYTES -> new ByteArrayOutput<>(ByteArrayCodec.INSTANCE);
    };
  }

  private HeaderOutput.Listener listener() {
    return new HeaderOutput.Listener() {
      @Override
      public void header(@Nullable ByteBuf bytes) {
        heard.append(bytes == null ? " none" : " header " + ByteBufUtil.hexDump(bytes));
      }

      @Override
      public void oversized(long length, int limit) {
        heard.append(" oversized ").append(length);
      }
    };
  }

  /** Every seventh length is unwanted. */
  private @Nullable ChunkBuffer accept(long length) {
    heard.append(" announced ").append(length);
    return length > MAX_PAYLOAD || length % 7 == 6 ? null : memory.tryLease((int) length);
  }

  private void ended(@Nullable Throwable failure) {
    ends++;
    if (output instanceof PayloadOutput payload) {
      ChunkBuffer lease = payload.takeLease();
      if (lease != null) {
        ByteBuf bytes = lease.netty();
        heard.append(" payload ").append(ByteBufUtil.hexDump(bytes));
        bytes.release();
        lease.release();
      }
    }
    if (failure == null) {
      Object value = output.get();
      String shown = value instanceof byte[] bytes ? ByteBufUtil.hexDump(bytes) : "" + value;
      result = kind + heard.toString() + " = " + shown + ", error " + output.getError();
    } else if (!(failure instanceof LmcacheException || isLoss(failure))) {
      // Lettuce's outputs refuse a reply of another type so.
      result = kind + " refused with " + failure;
    }
  }

  /** The connection went: told by ours, which has no type for it, or else by Lettuce's endpoint. */
  private static boolean isLoss(Throwable failure) {
    return failure instanceof ConnectionLost
        || (failure instanceof RedisException
            && "Connection disconnected".equals(failure.getMessage()));
  }
}
