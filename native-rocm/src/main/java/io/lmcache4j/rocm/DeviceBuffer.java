/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Memory of a device: an address and a size. The CPU cannot touch it, so there is no view of it.
 *
 * <p>Each copy under way holds a reference. {@link #close()} gives up the owner's: the memory is
 * freed at once or, while copies are under way, when the last of them is over.
 *
 * <p>Safe for use by many threads; the bytes have no lock.
 */
public final class DeviceBuffer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(DeviceBuffer.class);

  private final HipDevice device;
  private final long address;
  private final long bytes;
  private final AtomicInteger references = new AtomicInteger(1);
  private final AtomicBoolean closed = new AtomicBoolean();

  DeviceBuffer(HipDevice device, long address, long bytes) {
    this.device = device;
    this.address = address;
    this.bytes = bytes;
  }

  /**
   * Whose memory it is.
   *
   * @return the device
   */
  public HipDevice device() {
    return device;
  }

  /**
   * The first byte's address on the device.
   *
   * @return an address that the CPU must not read
   * @throws IllegalStateException if it is closed
   */
  public long address() {
    if (closed.get()) {
      throw new IllegalStateException(this + " is closed");
    }
    return address;
  }

  /**
   * The size.
   *
   * @return bytes
   */
  public long bytes() {
    return bytes;
  }

  /**
   * All of it.
   *
   * @return the range
   */
  public DeviceRange range() {
    return range(0, bytes);
  }

  /**
   * A part of it.
   *
   * @param offset the first byte
   * @param length bytes
   * @return the range
   * @throws IndexOutOfBoundsException if it is not within the buffer
   */
  public DeviceRange range(long offset, long length) {
    return new DeviceRange(this, offset, length, length, 1);
  }

  /** The address, for a copy that holds a reference: it goes on after the owner's close. */
  long rawAddress() {
    return address;
  }

  /** Takes a reference for a copy. */
  void retain() {
    for (int n = references.get(); !closed.get() && n > 0; n = references.get()) {
      if (references.compareAndSet(n, n + 1)) {
        return;
      }
    }
    throw new IllegalStateException(this + " is closed");
  }

  /** Gives a copy's reference back. Never waits for the device. */
  void release() {
    if (references.decrementAndGet() == 0) {
      device.later(this::free);
    }
  }

  private void free() {
    int code = device.api().free(address);
    if (code != HipErrors.SUCCESS) {
      log.warn(
          "{} could not be freed: {}", this, device.api().failure(code, "free", "").getMessage());
    }
  }

  /** Gives up the memory, and waits for it to be freed unless copies are under way. Idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true) && references.decrementAndGet() == 0) {
      device.later(this::free);
      device.settle();
    }
  }

  /** Names the buffer. */
  @Override
  public String toString() {
    return String.format("%d bytes at 0x%x of %s", bytes, address, device);
  }
}
