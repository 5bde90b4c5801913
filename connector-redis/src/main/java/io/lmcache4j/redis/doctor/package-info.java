/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Tells what is wrong with a cache, and what mends it: {@link io.lmcache4j.redis.doctor.Doctor}
 * reads it as it is, without payloads, into a {@link io.lmcache4j.redis.doctor.Diagnosis}.
 */
@NullMarked
package io.lmcache4j.redis.doctor;

import org.jspecify.annotations.NullMarked;
