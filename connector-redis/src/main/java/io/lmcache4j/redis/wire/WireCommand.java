/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.ProtocolKeyword;
import io.lmcache4j.core.memory.LeaseReleasedException;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * A command that knows where it is on its way, and says exactly once that it has ended.
 *
 * <pre>
 *   QUEUED ---- encoded ----> SENT ---- reply consumed, or connection lost ----> ENDED
 *     |                                                                            ^
 *     +---- given up, or never accepted by the connection -------------------------+
 * </pre>
 *
 * <p>A sent command is never cancelled: Lettuce forgets a cancelled command when the connection is
 * lost, and then nobody would learn that its buffers are free. Whoever no longer wants the reply
 * calls {@link #giveUp()}: if the command has not been sent it never will be, otherwise its reply
 * is waited for like any other.
 *
 * @param <T> what the command yields
 */
public final class WireCommand<T> extends AsyncCommand<byte[], byte[], T> {

  /**
   * Told when a command has ended. Called on the event loop, or on the thread that gives up or
   * dispatches.
   */
  @FunctionalInterface
  public interface EndListener {

    /**
     * The command has ended: nothing of it is queued, on the wire or awaited any more. Bytes
     * already handed to Netty hold their own references.
     *
     * @param failure why no reply came, or null if one did (its error, if it was one, is in the
     *     output)
     */
    void ended(@Nullable Throwable failure);
  }

  /**
   * What takes the place of a command that was given up between Lettuce's check and its encoding.
   */
  private static final byte[] PING = "*1\r\n$4\r\nPING\r\n".getBytes(StandardCharsets.US_ASCII);

  private static final int QUEUED = 0;
  private static final int SENT = 1;
  private static final int ENDED = 2;

  @SuppressWarnings("rawtypes")
  private static final AtomicIntegerFieldUpdater<WireCommand> PROGRESS =
      AtomicIntegerFieldUpdater.newUpdater(WireCommand.class, "progress");

  private final EndListener listener;
  private volatile int progress = QUEUED;

  /**
   * Creates a command, not yet dispatched.
   *
   * @param type its name
   * @param output its reply
   * @param args its arguments
   * @param listener told when it has ended
   */
  public WireCommand(
      ProtocolKeyword type,
      CommandOutput<byte[], byte[], T> output,
      CommandArgs<byte[], byte[]> args,
      EndListener listener) {
    super(new Command<>(type, output, args));
    this.listener = Objects.requireNonNull(listener, "listener");
  }

  /**
   * Says that the reply is not wanted any more. A command that was not sent ends here; one that was
   * ends with its reply.
   */
  public void giveUp() {
    if (PROGRESS.compareAndSet(this, QUEUED, ENDED)) {
      super.cancel(false);
      listener.ended(null);
    }
  }

  /**
   * Called by the encoder, on the event loop, right before the command is written.
   *
   * @return false if it was given up: write {@link #writePlaceholder} in its stead
   */
  boolean beginSend() {
    // A redirected command is sent again.
    return PROGRESS.compareAndSet(this, QUEUED, SENT) || progress == SENT;
  }

  static void writePlaceholder(ByteBuf out) {
    out.writeBytes(PING);
  }

  @Override
  public void encode(ByteBuf out) {
    if (!beginSend()) {
      writePlaceholder(out);
      return;
    }
    int start = out.writerIndex();
    try {
      super.encode(out);
    } catch (LeaseReleasedException e) {
      // Somebody released what was not theirs; the others on this connection are not to blame.
      out.writerIndex(start);
      writePlaceholder(out);
    }
  }

  @Override
  public void complete() {
    super.complete();
    end(null);
  }

  @Override
  public boolean completeExceptionally(Throwable failure) {
    boolean changed = super.completeExceptionally(failure);
    end(failure);
    return changed;
  }

  /**
   * Called by Lettuce alone, when it drops a command with its connection; whoever no longer wants
   * the reply calls {@link #giveUp()}.
   */
  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    boolean changed = super.cancel(mayInterruptIfRunning);
    end(new CancellationException("the connection was closed"));
    return changed;
  }

  private void end(@Nullable Throwable failure) {
    if (PROGRESS.getAndSet(this, ENDED) != ENDED) {
      listener.ended(failure);
    }
  }

  // Identity: a command is equal to itself only. AsyncCommand compares what it wraps, which comes
  // to the same.
  @Override
  public boolean equals(@Nullable Object other) {
    return super.equals(other);
  }

  @Override
  public int hashCode() {
    return super.hashCode();
  }
}
