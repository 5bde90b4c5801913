/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.metadata.RemoteMetadata;
import java.util.Objects;

/**
 * A chunk: what it is called, what it consists of, and its bytes.
 *
 * <p>Holds one reference to the payload, which belongs to whoever holds the chunk and is released
 * by {@link #close()}. A chunk given to {@code put} stays the caller's: the connector takes
 * references of its own for as long as it needs the bytes. A chunk taken from a {@link
 * GetOutcome.Hit} is the receiver's to close.
 *
 * @param key the key
 * @param metadata shapes, dtypes, format and length; dtypes may be missing, they are filled in as
 *     the header is encoded
 * @param payload the groups' tensors one behind the other, row-major, little-endian, without
 *     padding
 */
public record KvChunk(ChunkKey key, RemoteMetadata metadata, ChunkBuffer payload)
    implements AutoCloseable {

  /** Checks that nothing is null. */
  public KvChunk {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(metadata, "metadata");
    Objects.requireNonNull(payload, "payload");
  }

  /** Releases the chunk's reference to the payload. */
  @Override
  public void close() {
    payload.release();
  }
}
