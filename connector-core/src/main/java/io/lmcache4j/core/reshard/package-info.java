/* SPDX-License-Identifier: Apache-2.0 */
/**
 * From the chunks of one world to those of another. The world size and the rank are in the key and
 * the rank's heads and layers are in the payload, so that a decoder with another tensor-parallel
 * size than the producer's misses every chunk; here the same keys and values are cut up and joined
 * anew. Pure code over buffers; the job over Redis is in {@code connector-redis}.
 *
 * <p>For models with keys and values. The latents of an MLA model are whole on every rank, and
 * LMCache has written them once for all ranks, under world size 1, since 0.3.10.
 */
@NullMarked
package io.lmcache4j.core.reshard;

import org.jspecify.annotations.NullMarked;
