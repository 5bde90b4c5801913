/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.lmcache4j.core.memory.ChunkBuffer;
import org.jspecify.annotations.Nullable;

/** Decides where a payload lands, at the moment its length is known. */
@FunctionalInterface
public interface PayloadSink {

  /**
   * A payload was announced. Called once at most, on the event loop.
   *
   * @param length its length in bytes, as the server announced it
   * @return a lease of exactly that length whose reference passes to the output, or null to have
   *     the payload drained
   */
  @Nullable ChunkBuffer accept(long length);
}
