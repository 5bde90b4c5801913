/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Reply of a {@code GET} whose value goes into leased memory.
 *
 * <p>Yields the announced length, or null for a key that is not there. The bytes themselves are had
 * from {@link #takeLease()} once the command has ended.
 */
public final class PayloadOutput extends SplicedOutput<Long> {

  private final PayloadSink sink;
  private final WireMetrics metrics;
  private final Transfer transfer = new Transfer();
  private final AtomicReference<@Nullable ChunkBuffer> received = new AtomicReference<>();

  /** Set while bytes are on their way into it; event loop only. */
  private @Nullable ChunkBuffer writing;

  private @Nullable ByteBuf destination;

  /** Written on the event loop; read once the command has ended. */
  private boolean absent;

  /**
   * Creates an output for one command.
   *
   * @param sink asked for the destination when the length is known
   * @param metrics counts what was copied
   */
  public PayloadOutput(PayloadSink sink, WireMetrics metrics) {
    this.sink = sink;
    this.metrics = metrics;
  }

  /**
   * Gives the reply up: from now on it becomes no outcome. If it has begun to arrive its bytes
   * still go into the lease they were promised, which is released when the last one is in. Any
   * thread, any time, any number of times.
   */
  public void revoke() {
    transfer.revoke();
  }

  /**
   * Takes the payload, whose reference passes to the caller.
   *
   * @return the lease, or null if the key was not there, the payload was drained, given up, or
   *     taken before
   */
  public @Nullable ChunkBuffer takeLease() {
    return received.getAndSet(null);
  }

  /**
   * Whether the server said that the key is not there. False as well while nothing was answered,
   * and for a command that was given up before it was sent.
   *
   * @return true if the reply was nil
   */
  public boolean isAbsent() {
    return absent;
  }

  @Override
  boolean takes(long length) {
    return true;
  }

  @Override
  @Nullable ByteBuf begin(long length) {
    output = length;
    if (!transfer.begin()) {
      return null;
    }
    ChunkBuffer lease = sink.accept(length);
    if (lease == null) {
      return null;
    }
    writing = lease;
    destination = lease.netty().clear();
    return destination;
  }

  @Override
  void end() {
    ChunkBuffer lease = writing;
    writing = null;
    releaseView();
    if (lease == null) {
      transfer.finish();
      return;
    }
    // Published before the state changes, so that whoever sees DONE finds it.
    received.set(lease);
    if (!transfer.finish()) {
      discard();
    }
  }

  @Override
  void abort() {
    transfer.revoke();
    ChunkBuffer lease = writing;
    writing = null;
    releaseView();
    if (lease != null) {
      lease.release();
    }
    discard();
  }

  /** Releases what arrived and nobody took. */
  private void discard() {
    ChunkBuffer lease = takeLease();
    if (lease != null) {
      lease.release();
    }
  }

  private void releaseView() {
    ByteBuf view = destination;
    destination = null;
    if (view != null) {
      view.release();
    }
  }

  @Override
  void received(@Nullable ByteBuffer bytes) {
    if (bytes == null) {
      output = null;
      absent = true;
      return;
    }
    int length = bytes.remaining();
    ByteBuf into = begin(length);
    if (into != null) {
      into.writeBytes(bytes);
      metrics.copiedIn(length);
    }
    end();
  }

  @Override
  public String toString() {
    return "PayloadOutput[" + transfer + ", announced=" + output + "]";
  }
}
