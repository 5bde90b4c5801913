/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.reshard;

import io.lmcache4j.core.model.KvGeometry;
import java.util.ArrayList;
import java.util.List;

/**
 * How the layers and KV heads of a model are shared out among the workers of one deployment.
 *
 * <p>Workers are numbered as vLLM numbers ranks, tensor-parallel ranks of the first pipeline stage
 * first: {@code worker = stage * tensorParallelSize + tpRank} ({@code initialize_model_parallel} in
 * {@code vllm/distributed/parallel_state.py}). With {@code n} KV heads and no more ranks than
 * heads, rank {@code r} has the {@code n / tp} heads from {@code r * n / tp} on; with more ranks
 * than heads each head is on {@code tp / n} neighbouring ranks ({@code QKVParallelLinear} in {@code
 * vllm/model_executor/layers/linear.py}: {@code shard_id = tp_rank // num_kv_head_replicas}). The
 * latents of an MLA model are such a head: every rank has them whole. Keys of LMCache 0.3.10 and
 * newer therefore give an MLA model a world of one, whatever its ranks; older ones name the size.
 *
 * @param model the whole model, on one worker
 * @param tensorParallelSize ranks that share the heads of a layer
 * @param layersOfStages layers of each pipeline stage; one entry without pipelining
 */
public record World(KvGeometry model, int tensorParallelSize, List<Integer> layersOfStages) {

  /** Copies the list, and checks that it can be. */
  public World {
    layersOfStages = List.copyOf(layersOfStages);
    if (model.tensorParallelSize() != 1) {
      throw new IllegalArgumentException(
          "the model's tensorParallelSize is "
              + model.tensorParallelSize()
              + ", wanted is the whole model: 1");
    }
    long layers = 0;
    for (int stage : layersOfStages) {
      if (stage < 1) {
        throw new IllegalArgumentException("layers of stages " + layersOfStages + ": below 1");
      }
      layers += stage;
    }
    if (layers != model.layers()) {
      throw new IllegalArgumentException(
          "layers of stages "
              + layersOfStages
              + " are "
              + layers
              + " in all, the model has "
              + model.layers());
    }
    // Refuses a size that cannot share out the heads.
    model.withTensorParallelSize(tensorParallelSize);
  }

  /**
   * A world without pipelining.
   *
   * @param model the whole model, on one worker
   * @param tensorParallelSize ranks that share the heads
   * @return the world
   */
  public static World of(KvGeometry model, int tensorParallelSize) {
    return new World(model, tensorParallelSize, List.of(model.layers()));
  }

  /**
   * The number in the keys.
   *
   * @return tensor-parallel size times stages
   */
  public int size() {
    return Math.multiplyExact(tensorParallelSize, layersOfStages.size());
  }

  /**
   * What a worker's chunks look like.
   *
   * @param worker 0 to {@link #size} - 1
   * @return the geometry of one rank
   */
  public KvGeometry geometry(int worker) {
    return model
        .withTensorParallelSize(tensorParallelSize)
        .withLayers(layersOfStages.get(stageOf(worker)));
  }

  /** What a worker has of the model. */
  Shard shard(int worker) {
    int stage = stageOf(worker);
    int firstLayer = 0;
    for (int before = 0; before < stage; before++) {
      firstLayer += layersOfStages.get(before);
    }
    int rank = worker % tensorParallelSize;
    int heads = model.withTensorParallelSize(tensorParallelSize).kvHeadsPerRank();
    // In both cases of the class comment, since one of the two sizes divides the other.
    int firstHead = (int) ((long) rank * model.kvHeads() / tensorParallelSize);
    return new Shard(worker, firstLayer, layersOfStages.get(stage), firstHead, heads);
  }

  /** All shards, by worker. */
  List<Shard> shards() {
    List<Shard> shards = new ArrayList<>(size());
    for (int worker = 0; worker < size(); worker++) {
      shards.add(shard(worker));
    }
    return shards;
  }

  private int stageOf(int worker) {
    if (worker < 0 || worker >= size()) {
      throw new IllegalArgumentException(
          "worker is " + worker + ", allowed in this world: 0 to " + (size() - 1));
    }
    return worker / tensorParallelSize;
  }

  /**
   * The part of a model that one worker has.
   *
   * @param worker its number
   * @param firstLayer first of its layers
   * @param layers how many
   * @param firstHead first of its KV heads
   * @param heads how many
   */
  record Shard(int worker, int firstLayer, int layers, int firstHead, int heads) {}
}
