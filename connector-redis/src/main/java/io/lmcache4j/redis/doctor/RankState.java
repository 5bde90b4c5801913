/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import java.util.Map;
import java.util.TreeMap;

/** What has been seen of one worker of one world. */
final class RankState {

  private final int mostExamples;
  private final Map<Integer, Tally> chunksByLayers = new TreeMap<>();
  private final Tally headless;
  private long entries;
  private long bytes;
  private long sampledBytes;
  private long sampledMemory;
  private int layers;

  RankState(int mostExamples) {
    this.mostExamples = mostExamples;
    this.headless = new Tally(mostExamples);
  }

  void entry(long payloadBytes) {
    entries++;
    bytes += payloadBytes;
  }

  void sample(long payloadBytes, long memoryBytes) {
    sampledBytes += payloadBytes;
    sampledMemory += memoryBytes;
  }

  /** Layers that a chunk has at least, by the highest layer seen. */
  int layers() {
    return layers;
  }

  void layersAtLeast(int some) {
    layers = Math.max(layers, some);
  }

  /** A chunk stored layer by layer, with its first layer and so many in all. */
  void layered(String key, int itsLayers) {
    chunksByLayers
        .computeIfAbsent(itsLayers, n -> new Tally(mostExamples))
        .add(0, key, "has " + itsLayers + " layers");
  }

  /** A chunk stored layer by layer without its first layer, which is what readers look for. */
  void headless(String key) {
    headless.add(0, key, "lacks layer 0");
  }

  /** The chunks that have not as many layers as the longest of this worker. */
  Tally incompleteLayers() {
    Tally incomplete = new Tally(mostExamples);
    chunksByLayers.forEach(
        (its, chunks) -> {
          if (its < layers) {
            incomplete.addAll(chunks);
          }
        });
    incomplete.addAll(headless);
    return incomplete;
  }

  long entries() {
    return entries;
  }

  long bytes() {
    return bytes;
  }

  /** What the server needs for all of it, by the sample; -1 if nothing is known. */
  long memoryBytes() {
    return sampledMemory == 0 || sampledBytes == 0
        ? -1
        : (long) ((double) bytes * sampledMemory / sampledBytes);
  }
}
