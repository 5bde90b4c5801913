/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeyFormat;
import java.nio.charset.StandardCharsets;

/**
 * The two Redis keys of a chunk: the chunk's key with a suffix and nothing between. Source: {@code
 * lmcache/v1/storage_backend/connector/redis_connector.py}, LMCache 0.5.6.
 *
 * <p>Readers take the metadata key for the commit record: it is written last and deleted first.
 *
 * @param text the chunk's key
 * @param metadata Redis key of the header, UTF-8
 * @param payload Redis key of the payload, UTF-8
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared; handed to Lettuce as they are.
record PairKeys(String text, byte[] metadata, byte[] payload) {

  static final String METADATA_SUFFIX = "metadata";
  static final String PAYLOAD_SUFFIX = "kv_bytes";

  static PairKeys of(ChunkKey key, KeyFormat format) {
    String text = format.format(key);
    return new PairKeys(text, utf8(text + METADATA_SUFFIX), utf8(text + PAYLOAD_SUFFIX));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
