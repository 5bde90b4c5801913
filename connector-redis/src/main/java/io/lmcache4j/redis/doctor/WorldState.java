/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What has been seen of one world of a model. */
final class WorldState {

  private final Map<Integer, RankState> ranks = new TreeMap<>();
  private final Map<Integer, Shared> others = new TreeMap<>();
  private final Tally incomplete;
  private final BitSet loners = new BitSet();
  private long chunks;
  private long complete;
  private long alone;
  private @Nullable RemoteMetadata wholeChunk;

  /** How many chunks were looked for in another world, and found. */
  static final class Shared {
    private final Tally missing;
    private long asked;

    Shared(int mostExamples) {
      this.missing = new Tally(mostExamples);
    }

    void add(String key, boolean found) {
      asked++;
      if (!found) {
        missing.add(0, key, "");
      }
    }

    long asked() {
      return asked;
    }

    Tally missing() {
      return missing;
    }
  }

  WorldState(int mostExamples) {
    this.incomplete = new Tally(mostExamples);
  }

  Map<Integer, RankState> ranks() {
    return ranks;
  }

  /** What was looked for in other worlds, by their size. */
  Map<Integer, Shared> others() {
    return others;
  }

  /** Counts a chunk, whichever workers have it, that is all there. */
  void complete() {
    chunks++;
    complete++;
  }

  /** Counts a chunk that some workers lack. */
  void incomplete(String key, long bytes, BitSet present, int size) {
    chunks++;
    if (present.cardinality() == 1) {
      alone++;
      loners.or(present);
    }
    BitSet missing = new BitSet(size);
    missing.set(0, size);
    missing.andNot(present);
    incomplete.add(bytes, key, "not at worker " + Ranges.of(missing));
  }

  /** Remembers what a whole chunk looks like. */
  void describe(RemoteMetadata metadata) {
    if (wholeChunk == null
        && metadata.format() == MemoryFormat.KV_2LTD
        && metadata.groups() == 1
        && metadata.shapes().get(0).rank() == 4) {
      wholeChunk = metadata;
    }
  }

  /** A chunk of all layers of one worker, or null if none was seen. */
  @Nullable RemoteMetadata wholeChunk() {
    return wholeChunk;
  }

  long chunks() {
    return chunks;
  }

  long completeChunks() {
    return complete;
  }

  Tally incompleteChunks() {
    return incomplete;
  }

  /** Chunks that one worker alone has, and no other of its world. */
  long alone() {
    return alone;
  }

  /** How many workers have such. */
  int loners() {
    return loners.cardinality();
  }
}
