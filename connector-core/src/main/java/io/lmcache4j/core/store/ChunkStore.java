/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.store;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import java.util.concurrent.CompletionStage;

/**
 * Stores chunks and finds them again, from and in leased host memory. The module for GPUs puts its
 * chunks into one and knows no Redis; the module for Redis provides one and knows no GPU.
 *
 * <p>Neither method blocks or throws. Cancelling the future of a returned stage gives the work up.
 * The store has references of its own to a payload for as long as its I/O may touch it, also after
 * the stage has completed; and a hit that comes when the stage has been cancelled already is the
 * store's to release.
 *
 * <p>Implementations are safe for use by many threads. They complete their stages on threads of
 * their own, which what is chained to them must not block.
 */
public interface ChunkStore {

  /**
   * Stores a chunk.
   *
   * @param key the key
   * @param metadata its header
   * @param payload its bytes; they stay the caller's, who may release them as soon as this returns
   * @return completes when the chunk is stored, or exceptionally if it is not known to be
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

  /** What became of a key that was asked for. */
  sealed interface Fetched {

    /**
     * It was there and is sound.
     *
     * @param metadata its header
     * @param payload its bytes; the receiver releases them
     */
    record Hit(RemoteMetadata metadata, ChunkBuffer payload) implements Fetched {}

    /** It is not there, or not all of it. */
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
