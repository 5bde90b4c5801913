/* SPDX-License-Identifier: Apache-2.0 */
/** Cache keys and their string grammars, one per range of LMCache versions. */
@NullMarked
package io.lmcache4j.core.key;

import org.jspecify.annotations.NullMarked;
