/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

/**
 * When a copy was under way, on the clock of {@link System#nanoTime}.
 *
 * @param startedNanos when it was given to the runtime
 * @param endedNanos when its event was seen to have fired
 */
public record CopyTimes(long startedNanos, long endedNanos) {}
