/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a store of chunks is, for whoever fills and reads one without knowing which: {@link
 * io.lmcache4j.core.store.ChunkStore}.
 */
@NullMarked
package io.lmcache4j.core.store;

import org.jspecify.annotations.NullMarked;
