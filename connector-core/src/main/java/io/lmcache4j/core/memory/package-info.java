/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Leased host memory: whoever holds a {@link io.lmcache4j.core.memory.ChunkBuffer} owns its bytes.
 */
@NullMarked
package io.lmcache4j.core.memory;

import org.jspecify.annotations.NullMarked;
