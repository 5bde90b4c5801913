/* SPDX-License-Identifier: Apache-2.0 */
/** Resharding through a real Redis. */
@NullMarked
package io.lmcache4j.tests.reshard;

import org.jspecify.annotations.NullMarked;
