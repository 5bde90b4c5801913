/* SPDX-License-Identifier: Apache-2.0 */
/**
 * From token ids to chunk keys: LMCache's chained chunk hashes.
 *
 * <p>{@link io.lmcache4j.core.token.ChunkedTokenDatabase} is the way in. What a chain hashes
 * depends on the release, the algorithm, the Python and the start of the chain; what cannot be
 * known or reproduced is refused with {@link io.lmcache4j.core.token.UnreproducibleHashException}
 * rather than guessed.
 */
@NullMarked
package io.lmcache4j.core.token;

import org.jspecify.annotations.NullMarked;
