/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.StoredName;
import io.lmcache4j.redis.Survey;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that a walk remembers: something for each model, world, worker and kind of problem, nothing
 * for each key. How many workers are told apart is bounded, since names are strangers' texts.
 */
final class CacheState {

  /**
   * Workers of all worlds and models that are told apart; a real cache has some hundred at most.
   */
  private static final int MAX_RANKS = 20_000;

  /** Each keeps some examples of each of its problems, and its name may be long. */
  private static final int MAX_MODELS = 500;

  /** So many chunks are asked for their age and their memory, and then one in {@link #SAMPLED}. */
  private static final int ALL_SAMPLED = 1000;

  private static final int SAMPLED = 16;

  private final int mostExamples;
  private final Map<String, ModelState> models = new LinkedHashMap<>();
  private final Map<Problems.Key, Tally> problems = new HashMap<>();
  private final AgeBuckets ages = new AgeBuckets();
  private int ranks;
  private long otherKeys;
  private long entries;
  private long looked;
  private long bytes;
  private long untold;
  private long young;

  CacheState(int mostExamples) {
    this.mostExamples = mostExamples;
  }

  /** The state of a key's worker, or null if there are too many of them, or of models. */
  @Nullable RankState rank(ChunkKey key) {
    ModelState model = models.get(key.modelName());
    WorldState world = model == null ? null : model.worlds().get(key.worldSize());
    RankState rank = world == null ? null : world.ranks().get(key.workerId());
    if (rank != null || ranks == MAX_RANKS || (model == null && models.size() == MAX_MODELS)) {
      return rank;
    }
    ranks++;
    return models
        .computeIfAbsent(key.modelName(), name -> new ModelState(mostExamples))
        .worlds()
        .computeIfAbsent(key.worldSize(), size -> new WorldState(mostExamples))
        .ranks()
        .computeIfAbsent(key.workerId(), worker -> new RankState(mostExamples));
  }

  /** The state of a key's world, or null if it is not told apart. */
  @Nullable WorldState world(ChunkKey key) {
    ModelState model = models.get(key.modelName());
    return model == null ? null : model.worlds().get(key.worldSize());
  }

  /** Counts a chunk, or a layer of one, of one worker. */
  void entry(StoredName name, String text, long payloadBytes) {
    entries++;
    bytes += payloadBytes;
    RankState rank = rank(name.key());
    if (rank == null) {
      untold++;
      return;
    }
    rank.entry(payloadBytes);
    ModelState model = models.get(name.key().modelName());
    if (model != null) {
      model.entry(name, text, payloadBytes);
    }
  }

  void problem(ProblemKind kind, StoredName name, long payloadBytes, String detail) {
    // A model that is not told apart has no problems of its own either.
    String model = rank(name.key()) == null ? null : name.key().modelName();
    problems
        .computeIfAbsent(new Problems.Key(kind, model), k -> new Tally(mostExamples))
        .add(payloadBytes, name.text(), detail);
  }

  /** Counts half a chunk that may be a put under way. */
  void young() {
    young++;
  }

  void otherKey() {
    otherKeys++;
  }

  /** Whether the next chunk is one of the sample. */
  boolean nextIsSampled() {
    looked++;
    return looked <= ALL_SAMPLED || looked % SAMPLED == 0;
  }

  /** An answer of {@link Survey.Trip#idleSeconds}. */
  void idle(long seconds) {
    ages.add(seconds);
  }

  Map<String, ModelState> models() {
    return models;
  }

  Map<Problems.Key, Tally> problems() {
    return problems;
  }

  AgeBuckets ages() {
    return ages;
  }

  int mostExamples() {
    return mostExamples;
  }

  long otherKeys() {
    return otherKeys;
  }

  long entries() {
    return entries;
  }

  long bytes() {
    return bytes;
  }

  /** Entries whose worker is not told apart. */
  long untold() {
    return untold;
  }

  long youngHalves() {
    return young;
  }
}
