/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * An output that {@link ReplySplicer} asks before a bulk string is read, so that the bytes need not
 * pass through Lettuce's aggregation buffer. After such a string the splicer lets Lettuce see an
 * integer reply, its length, which ends in {@link #set(long)}.
 *
 * <p>All methods are called on the channel's event loop.
 *
 * @param <T> what the command yields
 */
abstract class SplicedOutput<T> extends CommandOutput<byte[], byte[], T> {

  /**
   * True between {@link #begin} and the synthetic integer, which is how a real integer reply is
   * told from it.
   */
  private boolean spliced;

  /** Whether there was a value or nil: {@code +QUEUED}, for one, is told to no method. */
  private boolean answered;

  SplicedOutput() {
    super(ByteArrayCodec.INSTANCE, null);
  }

  /**
   * Whether the splicer should take this bulk string.
   *
   * @param length its announced length in bytes
   * @return false to let Lettuce read it as usual
   */
  abstract boolean takes(long length);

  /**
   * A bulk string that this output takes was announced.
   *
   * @param length its length in bytes
   * @return where the bytes go: an empty buffer of exactly that capacity, owned by this output; or
   *     null to drain them
   */
  abstract @Nullable ByteBuf begin(long length);

  /** The string has arrived whole, or has been drained. */
  abstract void end();

  /** The connection was lost in the middle of the string. */
  abstract void abort();

  /**
   * The string arrived through Lettuce, or the reply was nil (null). Lettuce makes no difference
   * between kinds of strings: a simple one and a bulk error come here as well.
   */
  abstract void received(@Nullable ByteBuffer bytes);

  /** Called by the splicer in the place of {@link #begin}. */
  final @Nullable ByteBuf beginSpliced(long length) {
    spliced = true;
    return begin(length);
  }

  @Override
  public final void set(@Nullable ByteBuffer bytes) {
    if (hasError()) {
      // An element of an aggregate, which is no answer.
      return;
    }
    answered = true;
    received(bytes);
  }

  @Override
  public final void set(long integer) {
    if (!spliced) {
      setError("a bulk string was expected and the integer " + integer + " came");
    }
    spliced = false;
    answered = true;
  }

  @Override
  public final void set(double number) {
    setError("a bulk string was expected and the double " + number + " came");
  }

  @Override
  public final void set(boolean value) {
    setError("a bulk string was expected and the boolean " + value + " came");
  }

  @Override
  public final void multi(int count) {
    setError("a bulk string was expected and an aggregate of " + count + " came");
  }

  @Override
  public final void complete(int depth) {
    if (depth == 0 && !answered && !hasError()) {
      setError("a bulk string was expected and none came");
    }
  }
}
