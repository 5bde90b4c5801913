/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

/**
 * A chunk that has a problem.
 *
 * @param key the chunk's key as it stands in Redis, without the suffixes of its parts; a stranger's
 *     text, to be escaped before it is shown
 * @param detail what is wrong with it; may be empty
 */
public record Example(String key, String detail) {}
