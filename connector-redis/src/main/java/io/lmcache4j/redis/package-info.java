/* SPDX-License-Identifier: Apache-2.0 */
/**
 * LMCache's Redis connector: {@link io.lmcache4j.redis.RedisConnector} and what goes into and comes
 * out of it.
 *
 * <p>Absence is a value here: a miss, a corrupt entry, exhausted memory or a lost connection are
 * outcomes of their key, and one key's outcome never touches another's. Exceptions are for misuse,
 * and for a server that cannot be reached when the connector is opened.
 */
@NullMarked
package io.lmcache4j.redis;

import org.jspecify.annotations.NullMarked;
