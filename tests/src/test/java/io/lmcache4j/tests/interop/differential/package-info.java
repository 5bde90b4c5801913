/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The same input to LMCache and to lmcache4j, many times: equal results, or a listed difference.
 */
@NullMarked
package io.lmcache4j.tests.interop.differential;

import org.jspecify.annotations.NullMarked;
