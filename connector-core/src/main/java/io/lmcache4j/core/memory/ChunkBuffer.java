/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.memory;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;

/**
 * A lease on host memory: the bytes are the holder's until the last reference is released.
 *
 * <p>A new lease has one reference, owned by whoever asked for it. Each {@link #retain()} adds one
 * and each {@link #release()} or {@link #close()} takes one away; at none the bytes go back to
 * their {@link HostMemory} and may be leased to somebody else at once. Therefore every use after
 * that fails: each method below throws {@link LeaseReleasedException}, and so does one {@code
 * release()} too many.
 *
 * <p>The views of {@link #nio()} are only borrowed: they must not be touched after the reference
 * that covers them is released, and nothing can check that for a bare {@link ByteBuffer}. The view
 * of {@link #netty()} brings its own reference along, so it stays good until it is released itself.
 *
 * <p>Reference counting is safe from any thread. The bytes have no lock: who writes and who reads
 * is agreed by whoever shares the lease.
 */
public interface ChunkBuffer extends AutoCloseable {

  /**
   * Bytes leased, exactly as asked for.
   *
   * @return the length in bytes
   */
  int length();

  /**
   * Native address of the first byte, for whoever copies with a device or a system call.
   *
   * @return the address, a multiple of {@link HostMemory#ALIGNMENT} (for an empty lease too)
   * @throws LeaseReleasedException if the last reference is gone
   */
  long address();

  /**
   * A fresh direct view of the bytes: position 0, limit {@link #length()}, native byte order.
   *
   * @return the view, good for as long as the caller's reference
   * @throws LeaseReleasedException if the last reference is gone
   */
  ByteBuffer nio();

  /**
   * A Netty view of the bytes that holds a reference of its own: reader index 0, writer index
   * {@link #length()}. When its last reference is released (or that of the last slice derived from
   * it) the lease's reference is released too.
   *
   * @return the view; the caller releases it
   * @throws LeaseReleasedException if the last reference is gone
   */
  ByteBuf netty();

  /**
   * Whether a device can copy to and from these bytes without staging.
   *
   * @return true if the pages are locked and registered with a GPU runtime
   */
  boolean isPinned();

  /**
   * Adds a reference.
   *
   * @return this
   * @throws LeaseReleasedException if the last reference is gone already
   */
  ChunkBuffer retain();

  /**
   * Takes a reference away; at the last one the bytes go back to their memory.
   *
   * @return true if that was the last one
   * @throws LeaseReleasedException if there was none left
   */
  boolean release();

  /** Releases one reference, as {@link #release()} does. */
  @Override
  default void close() {
    release();
  }
}
