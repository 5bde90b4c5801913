/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What there is of each model, world and worker. */
final class Sizes {

  private Sizes() {}

  static List<Diagnosis.Model> of(CacheState state) {
    List<Diagnosis.Model> models = new ArrayList<>();
    state
        .models()
        .forEach(
            (name, model) -> {
              List<Diagnosis.World> worlds = new ArrayList<>();
              model.worlds().forEach((size, world) -> worlds.add(world(size, world)));
              models.add(new Diagnosis.Model(name, model.bytes(), worlds));
            });
    models.sort(
        Comparator.comparingLong(Diagnosis.Model::bytes)
            .reversed()
            .thenComparing(Diagnosis.Model::name));
    return models;
  }

  private static Diagnosis.World world(int size, WorldState world) {
    List<Diagnosis.Rank> ranks = new ArrayList<>();
    world
        .ranks()
        .forEach(
            (worker, rank) ->
                ranks.add(
                    new Diagnosis.Rank(worker, rank.entries(), rank.bytes(), rank.memoryBytes())));
    return new Diagnosis.World(
        size,
        ranks.stream().mapToLong(Diagnosis.Rank::bytes).sum(),
        world.chunks(),
        world.completeChunks(),
        ranks);
  }
}
