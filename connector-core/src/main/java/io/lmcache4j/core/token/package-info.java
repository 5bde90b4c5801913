/* SPDX-License-Identifier: Apache-2.0 */
/** From token ids to chunk keys: LMCache's chained chunk hashes. */
@NullMarked
package io.lmcache4j.core.token;

import org.jspecify.annotations.NullMarked;
