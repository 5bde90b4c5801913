/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.reshard;

/**
 * What a target chunk takes from one source chunk: some layers of some heads.
 *
 * @param sourceWorker whose chunk
 * @param sourceLayer first layer, counted in the source's own
 * @param targetLayer the same layer, counted in the target's own
 * @param layers how many layers
 * @param sourceHead first head, counted in the source's own
 * @param targetHead the same head, counted in the target's own
 * @param heads how many heads
 */
record Piece(
    int sourceWorker,
    int sourceLayer,
    int targetLayer,
    int layers,
    int sourceHead,
    int targetHead,
    int heads) {}
