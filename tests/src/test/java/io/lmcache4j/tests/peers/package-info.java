/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Other Java clients, timed with the same commands and bytes as the connector. {@code
 * tests/peers/compare.py} runs them beside it and beside the peers that are not on the JVM.
 */
@NullMarked
package io.lmcache4j.tests.peers;

import org.jspecify.annotations.NullMarked;
