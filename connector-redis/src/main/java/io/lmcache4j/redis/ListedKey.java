/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.key.ChunkKey;
import org.jspecify.annotations.Nullable;

/**
 * An entry found by listing: one {@code …metadata} key.
 *
 * @param name the key without the suffix, as it stands in Redis
 * @param key the decoded key in whichever grammar it is, or null if it follows none
 */
public record ListedKey(String name, @Nullable ChunkKey key) {}
