/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;

/**
 * Lets the kernel write a payload straight into its destination: while {@link ReplySplicer} is in
 * the middle of one, the transport is given the destination itself to read into, and otherwise what
 * it would have been given anyway.
 *
 * <p>The destination is handed out again and again as the same buffer, its writer index where the
 * next byte belongs and its capacity where the payload ends, so that a read can neither run past it
 * nor make garbage. While a payload is awaited, reads end where it is expected to begin: what is
 * read beyond that would have to be copied.
 *
 * <p>For transports without TLS only: under TLS the bytes on the socket are not those of the
 * payload.
 */
final class TargetedReceive implements RecvByteBufAllocator {

  /**
   * What is read at a time where no payload is awaited: as much as Lettuce's own read buffer holds.
   * Of one size and of that one, because Netty's allocator keeps memory of each size for each
   * thread: sizes that adapt cost a connection 128 KiB for each that they pass through.
   */
  private static final int READ_BYTES = 64 * 1024;

  private final RecvByteBufAllocator fallback = new FixedRecvByteBufAllocator(READ_BYTES);
  private final ReplySplicer splicer;

  TargetedReceive(ReplySplicer splicer) {
    this.splicer = splicer;
  }

  @Override
  @SuppressWarnings(
      "deprecation") // ExtendedHandle is what transports ask for; only its outer type is
  // deprecated.
  public Handle newHandle() {
    return new TargetedHandle((ExtendedHandle) fallback.newHandle(), splicer);
  }

  @SuppressWarnings("deprecation")
  private static final class TargetedHandle extends DelegatingHandle implements ExtendedHandle {

    private final ExtendedHandle fallback;
    private final ReplySplicer splicer;

    TargetedHandle(ExtendedHandle fallback, ReplySplicer splicer) {
      super(fallback);
      this.fallback = fallback;
      this.splicer = splicer;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator alloc) {
      ByteBuf target = splicer.receiveTarget();
      if (target != null) {
        return target.retain();
      }
      int limit = splicer.receiveLimit();
      return limit > 0 ? alloc.ioBuffer(limit, limit) : fallback.allocate(alloc);
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
      return fallback.continueReading(maybeMoreData);
    }
  }
}
