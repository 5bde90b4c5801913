/* SPDX-License-Identifier: Apache-2.0 */
/** Benchmarks of what {@code native-rocm} does not show. */
@NullMarked
package io.lmcache4j.rocm;

import org.jspecify.annotations.NullMarked;
