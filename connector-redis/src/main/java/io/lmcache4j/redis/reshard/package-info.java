/* SPDX-License-Identifier: Apache-2.0 */
/** The job that gives a decoder of another tensor-parallel size the chunks of its producer. */
@NullMarked
package io.lmcache4j.redis.reshard;

import org.jspecify.annotations.NullMarked;
