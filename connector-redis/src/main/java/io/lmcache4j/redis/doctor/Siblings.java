/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.redis.StoredName;
import io.lmcache4j.redis.Survey;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The same chunk at other workers, its other layers, and the same in other worlds: asked for while
 * one of them comes by, so that nothing has to be remembered for each chunk. A chunk is counted at
 * its lowest worker that is there, and at its lowest layer.
 *
 * <p>Whoever is not the lowest asks for the lowest that can be, one key; only where that is missing
 * are all asked for.
 */
final class Siblings {

  /** No engine has more ranks; a larger number in a key is a stranger's. */
  private static final int MAX_WORLD = 1024;

  /** No model has more layers. */
  private static final int MAX_LAYERS = 512;

  /** Worlds of one model that are compared with each other. */
  private static final int MAX_WORLDS = 8;

  private final StoredName name;
  private final ChunkKey key;
  private final int layer;

  /** Whether this key stands for its worker: a whole chunk, or its first layer. */
  private final boolean leads;

  private final boolean ranked;

  private @Nullable CompletableFuture<Long> others;
  private @Nullable CompletableFuture<Long> firstLayer;
  private @Nullable CompletableFuture<Long> lowerLayers;
  private @Nullable CompletableFuture<Long> knownLayers;
  private @Nullable CompletableFuture<Long> nextLayer;
  private int known;
  private final List<CompletableFuture<Long>> allWorkers = new ArrayList<>();
  private final List<CompletableFuture<Long>> allLayers = new ArrayList<>();
  private final Map<Integer, CompletableFuture<Long>> inWorlds = new LinkedHashMap<>();

  Siblings(StoredName name) {
    this.name = name;
    this.key = name.key();
    int itsLayer = key instanceof LayerCacheEngineKey its ? its.layerId() : -1;
    // An object's local ranks do not follow from its world: its siblings have unknown names.
    boolean named = name.grammar() != null && itsLayer < MAX_LAYERS;
    this.layer = named ? itsLayer : -1;
    this.leads = named && itsLayer <= 0;
    this.ranked =
        leads
            && key.worldSize() > 1
            && key.worldSize() <= MAX_WORLD
            && key.workerId() >= 0
            && key.workerId() < key.worldSize();
  }

  /** Takes note of what a name alone tells: its worker, and how many layers there are. */
  static void meet(StoredName name, CacheState state) {
    RankState rank = state.rank(name.key());
    if (rank != null
        && name.key() instanceof LayerCacheEngineKey its
        && its.layerId() < MAX_LAYERS) {
      rank.layersAtLeast(its.layerId() + 1);
    }
  }

  void ask(Survey.Trip trip, CacheState state) {
    if (layer > 0) {
      firstLayer = trip.exists(commitKey(layer(0)));
    } else if (layer == 0) {
      RankState rank = state.rank(key);
      known = Math.max(1, rank == null ? 1 : rank.layers());
      if (known > 1) {
        knownLayers = trip.exists(layers(1, known));
      }
      nextLayer = trip.exists(commitKey(layer(known)));
    }
    if (ranked) {
      others = key.workerId() == 0 ? trip.exists(workers(1)) : trip.exists(worker(0));
    }
    if (leads && key.workerId() == 0) {
      askOtherWorlds(trip, state);
    }
  }

  private void askOtherWorlds(Survey.Trip trip, CacheState state) {
    ModelState model = state.models().get(key.modelName());
    if (model == null) {
      return;
    }
    for (int size : model.worlds().keySet()) {
      if (size != key.worldSize() && inWorlds.size() < MAX_WORLDS) {
        inWorlds.put(size, trip.exists(commitKey(in(size))));
      }
    }
  }

  void askMore(Survey.Trip trip) {
    if (firstLayer != null && firstLayer.join() == 0 && layer > 1) {
      lowerLayers = trip.exists(layers(1, layer));
    }
    if (nextLayer != null && nextLayer.join() > 0) {
      for (int each = 1; each < MAX_LAYERS; each++) {
        allLayers.add(trip.exists(commitKey(layer(each))));
      }
    }
    if (others != null) {
      long wanted = key.workerId() == 0 ? key.worldSize() - 1L : 1;
      if (others.join() < wanted) {
        for (int each = 0; each < key.worldSize(); each++) {
          allWorkers.add(
              each == key.workerId()
                  ? CompletableFuture.completedFuture(1L)
                  : trip.exists(worker(each)));
        }
      }
    }
  }

  void conclude(CacheState state, long bytes, boolean mla) {
    RankState rank = state.rank(key);
    WorldState world = state.world(key);
    if (rank == null || world == null) {
      return;
    }
    if (layer >= 0) {
      concludeLayers(rank);
    }
    if (!leads) {
      return;
    }
    if (ranked) {
      concludeWorkers(state, world, bytes, mla);
    } else if (key.worldSize() == 1 && key.workerId() > 0) {
      state.problem(
          ProblemKind.MLA_COPIES, name, bytes, "readers ask for worker 0 of a world of 1");
    } else {
      world.complete();
    }
    if (!mla) {
      inWorlds.forEach(
          (size, found) ->
              world
                  .others()
                  .computeIfAbsent(size, s -> new WorldState.Shared(state.mostExamples()))
                  .add(name.text(), found.join() > 0));
    }
  }

  private void concludeLayers(RankState rank) {
    if (layer > 0) {
      boolean lowest = lowerLayers == null || lowerLayers.join() == 0;
      if (firstLayer != null && firstLayer.join() == 0 && lowest) {
        rank.headless(name.text());
      }
      return;
    }
    int count = 1;
    if (allLayers.isEmpty()) {
      count += knownLayers == null ? 0 : knownLayers.join().intValue();
    } else {
      for (int i = 0; i < allLayers.size(); i++) {
        if (allLayers.get(i).join() > 0) {
          count++;
          rank.layersAtLeast(i + 2);
        }
      }
    }
    rank.layered(name.text(), count);
  }

  private void concludeWorkers(CacheState state, WorldState world, long bytes, boolean mla) {
    if (allWorkers.isEmpty()) {
      if (key.workerId() == 0) {
        if (mla) {
          copies(state, bytes, key.worldSize());
        }
        world.complete();
      }
      return;
    }
    BitSet present = new BitSet();
    for (int each = 0; each < allWorkers.size(); each++) {
      present.set(each, allWorkers.get(each).join() > 0);
    }
    if (present.nextSetBit(0) != key.workerId()) {
      return; // Counted at a lower one.
    }
    if (mla && key.workerId() == 0) {
      // All that readers ask for.
      copies(state, bytes, present.cardinality());
      world.complete();
      return;
    }
    world.incomplete(name.text(), bytes, present, key.worldSize());
  }

  private void copies(CacheState state, long bytes, int stored) {
    if (stored > 1) {
      state.problem(
          ProblemKind.MLA_COPIES, name, bytes * (stored - 1), "stored " + stored + " times");
    }
  }

  private byte[] commitKey(ChunkKey other) {
    return name.commitKey(other);
  }

  private byte[] worker(int worker) {
    return commitKey(key.withWorkerId(worker));
  }

  private byte[][] workers(int from) {
    byte[][] keys = new byte[key.worldSize() - from][];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = worker(from + i);
    }
    return keys;
  }

  private ChunkKey layer(int other) {
    return new LayerCacheEngineKey(((LayerCacheEngineKey) key).chunk(), other);
  }

  private byte[][] layers(int from, int to) {
    byte[][] keys = new byte[to - from][];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = commitKey(layer(from + i));
    }
    return keys;
  }

  private ChunkKey in(int worldSize) {
    return key instanceof LayerCacheEngineKey its
        ? new LayerCacheEngineKey(in(its.chunk(), worldSize), its.layerId())
        : in((CacheEngineKey) key, worldSize);
  }

  private static CacheEngineKey in(CacheEngineKey chunk, int worldSize) {
    return new CacheEngineKey(
        chunk.modelName(), worldSize, 0, chunk.chunkHash(), chunk.dtype(), chunk.tags());
  }
}
