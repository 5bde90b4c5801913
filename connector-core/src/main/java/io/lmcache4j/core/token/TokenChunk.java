/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import io.lmcache4j.core.key.CacheEngineKey;

/**
 * A piece of a prompt and the key of its KV cache.
 *
 * @param start index of its first token
 * @param end index after its last token
 * @param key the key
 */
public record TokenChunk(int start, int end, CacheEngineKey key) {}
