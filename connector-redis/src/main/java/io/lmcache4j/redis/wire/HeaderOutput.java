/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Reply of a {@code GET} whose value should be small: a metadata header. A larger one is drained
 * instead of being aggregated, since the key may hold anything.
 */
public final class HeaderOutput extends SplicedOutput<Long> {

  /**
   * Called on the event loop, in the place of the reply and before any later reply is looked at.
   */
  public interface Listener {

    /**
     * The header's bytes have arrived, or the key is not there.
     *
     * @param bytes the value, good only during the call; null if there is none
     */
    void header(@Nullable ByteBuf bytes);

    /**
     * The value is too long to be a header and was dropped.
     *
     * @param length its length in bytes
     * @param limit the longest that is read
     */
    void oversized(long length, int limit);
  }

  private final int limit;
  private final Listener listener;

  /**
   * Creates an output for one command.
   *
   * @param limit the longest value to read, in bytes
   * @param listener told what came
   */
  public HeaderOutput(int limit, Listener listener) {
    this.limit = limit;
    this.listener = listener;
  }

  @Override
  boolean takes(long length) {
    return length > limit;
  }

  @Override
  @Nullable ByteBuf begin(long length) {
    output = length;
    listener.oversized(length, limit);
    return null;
  }

  @Override
  void end() {
    // Drained: the listener knows already.
  }

  @Override
  void abort() {
    // Nothing is held.
  }

  @Override
  void received(@Nullable ByteBuffer bytes) {
    if (bytes == null) {
      listener.header(null);
    } else if (bytes.remaining() > limit) {
      output = (long) bytes.remaining();
      listener.oversized(bytes.remaining(), limit);
    } else {
      output = (long) bytes.remaining();
      listener.header(Unpooled.wrappedBuffer(bytes));
    }
  }
}
