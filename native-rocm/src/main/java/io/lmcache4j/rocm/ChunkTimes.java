/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

/**
 * When the two halves of a chunk's way were under way, on the clock of {@link System#nanoTime}. On
 * the way out the copy comes first, on the way in the transfer.
 *
 * @param copyStarted when the copy was given to the runtime
 * @param copyEnded when it was seen to be over
 * @param transferStarted when the store was asked
 * @param transferEnded when it had answered
 */
public record ChunkTimes(
    long copyStarted, long copyEnded, long transferStarted, long transferEnded) {}
