/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.reshard;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;
import java.util.List;
import java.util.Set;

/** What became of one chunk. Its key is that of worker 0 of the source world. */
public sealed interface ReshardOutcome {

  /**
   * The chunk.
   *
   * @return key of worker 0 of the source world
   */
  ChunkKey key();

  /**
   * The chunk is there for every worker of the target world, and some of it was written now.
   *
   * @param key the chunk
   * @param workers whose chunks were written, in their order; the others' were there
   * @param readBytes payload bytes that were read
   * @param writtenBytes payload bytes that were written
   */
  record Written(ChunkKey key, List<Integer> workers, long readBytes, long writtenBytes)
      implements ReshardOutcome {

    /** Takes a copy of the list. */
    public Written {
      workers = List.copyOf(workers);
    }
  }

  /**
   * Every worker of the target world had the chunk; nothing was read.
   *
   * @param key the chunk
   */
  record Present(ChunkKey key) implements ReshardOutcome {}

  /**
   * Some source was missing, so nothing was written: no reader ever gets a chunk that is filled in
   * half.
   *
   * @param key the chunk
   * @param workers whose chunks are missing, of those that are needed
   */
  record Incomplete(ChunkKey key, Set<Integer> workers) implements ReshardOutcome {

    /** Takes a copy of the set. */
    public Incomplete {
      workers = Set.copyOf(workers);
    }
  }

  /**
   * Something failed. Target chunks that were written before that are whole, and are skipped when
   * the job is run again.
   *
   * @param key the chunk
   * @param cause why; names the key
   */
  record Failed(ChunkKey key, LmcacheException cause) implements ReshardOutcome {}
}
