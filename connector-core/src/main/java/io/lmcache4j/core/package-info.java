/* SPDX-License-Identifier: Apache-2.0 */
/** What the other packages share: {@link io.lmcache4j.core.LmcacheVersion}. */
@NullMarked
package io.lmcache4j.core;

import org.jspecify.annotations.NullMarked;
