/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.metadata.RemoteMetadata;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What Redis holds under one key, read without loading the payload.
 *
 * @param key the key
 * @param metadataPresent whether {@code <key>metadata} exists
 * @param payloadPresent whether {@code <key>kv_bytes} exists
 * @param metadata the header, or null if there is none or it cannot be read
 * @param payloadBytes length of {@code <key>kv_bytes}, 0 if it is absent
 * @param ttlMillis time to live of the metadata: milliseconds, -1 for none, -2 if it is absent
 * @param payloadTtlMillis the same of the payload
 * @param problems what is wrong, a sentence each; empty if a reader would get the chunk
 */
public record EntryInfo(
    ChunkKey key,
    boolean metadataPresent,
    boolean payloadPresent,
    @Nullable RemoteMetadata metadata,
    long payloadBytes,
    long ttlMillis,
    long payloadTtlMillis,
    List<String> problems) {

  /** Copies the list. */
  public EntryInfo {
    problems = List.copyOf(problems);
  }
}
