/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Proof against real Python LMCache.
 *
 * <p>{@code tests/python/setup.sh} makes an environment with LMCache 0.5.6, torch and older
 * releases; {@code tests/python/peer.py} is LMCache behind a pipe, and {@link
 * io.lmcache4j.tests.interop.PythonPeer} the end of the pipe that the tests hold. Nothing of
 * LMCache is faked: where a release can't run, the table says so, with the reason.
 *
 * <pre>
 *   ./mvnw -Pinterop -pl tests -am verify                     all of it; rewrites docs/COMPATIBILITY.md
 *   … -Dlmcache4j.differential.seed=42 -Dlmcache4j.differential.count=1000000
 * </pre>
 *
 * <p>{@code docs/COMPATIBILITY.md} is written by a run in which every test passed and every cell
 * was decided, and has no date in it: commit it when it changed.
 */
@NullMarked
package io.lmcache4j.tests.interop;

import org.jspecify.annotations.NullMarked;
