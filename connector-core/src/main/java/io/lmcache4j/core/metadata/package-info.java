/* SPDX-License-Identifier: Apache-2.0 */
/** The metadata header of a chunk: what it says, how it is encoded, what is refused. */
@NullMarked
package io.lmcache4j.core.metadata;

import org.jspecify.annotations.NullMarked;
