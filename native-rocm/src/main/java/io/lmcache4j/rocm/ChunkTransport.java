/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import java.util.concurrent.CompletionStage;

/**
 * The other side of {@link GpuChunks}: whatever stores and finds chunks in host memory. This module
 * knows no Redis; whoever has both writes the few lines between them.
 *
 * <p>Neither method blocks or throws. Cancelling a returned stage's future gives the work up; the
 * transport keeps references of its own to a payload for as long as its I/O may touch it, also
 * after its stage has completed.
 */
public interface ChunkTransport {

  /**
   * Stores a chunk.
   *
   * @param key the key
   * @param metadata its header
   * @param payload its bytes; they stay the caller's
   * @return completes when the chunk is stored, or exceptionally if it is not
   */
  CompletionStage<Void> put(ChunkKey key, RemoteMetadata metadata, ChunkBuffer payload);

  /**
   * Finds a chunk.
   *
   * @param key the key
   * @param into where its bytes are to be leased, once their number is known
   * @return what became of it, or exceptionally if that cannot be told
   */
  CompletionStage<Fetched> get(ChunkKey key, HostMemory into);

  /** What became of a key. */
  sealed interface Fetched {

    /**
     * It was there and is sound.
     *
     * @param metadata its header
     * @param payload its bytes; the receiver releases them
     */
    record Hit(RemoteMetadata metadata, ChunkBuffer payload) implements Fetched {}

    /** It is not there. */
    record Miss() implements Fetched {}

    /**
     * It is there and contradicts itself.
     *
     * @param reason what disagrees
     */
    record Corrupt(String reason) implements Fetched {}

    /**
     * It is there, and the memory gave no lease for it.
     *
     * @param bytes what was asked for
     */
    record NoMemory(long bytes) implements Fetched {}
  }
}
