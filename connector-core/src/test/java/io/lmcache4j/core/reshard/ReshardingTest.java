/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.reshard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.model.KvGeometry;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every element says where in the model it belongs (key or value, layer, token, head, dimension),
 * so that one in a wrong place is seen. What a worker has is told here by vLLM's own formulas,
 * apart from those of the code.
 */
final class ReshardingTest {

  private static final int TOKENS = 3;

  /** Eight bytes hold the number of any element. */
  private static KvGeometry numbered(KvGeometry model) {
    return model.withDtype(DType.INT64);
  }

  static Stream<Arguments> pairsOfWorlds() {
    List<Arguments> pairs = new ArrayList<>();
    for (KvGeometry model : List.of(KvGeometry.LLAMA_3_1_8B, KvGeometry.LLAMA_3_3_70B)) {
      for (int from : new int[] {1, 2, 4, 8, 16}) {
        for (int to : new int[] {1, 2, 4, 8, 16}) {
          pairs.add(Arguments.of(World.of(numbered(model), from), World.of(numbered(model), to)));
        }
      }
    }
    KvGeometry small = numbered(KvGeometry.of(7, 4, 8, DType.BFLOAT16));
    World stages = new World(small, 2, List.of(2, 3, 2));
    World otherStages = new World(small, 8, List.of(4, 3));
    World none = World.of(small, 1);
    for (World from : List.of(stages, otherStages, none)) {
      for (World to : List.of(stages, otherStages, none)) {
        pairs.add(Arguments.of(from, to));
      }
    }
    // Latents are whole on every rank; one rank alone is what keys of newer LMCache say.
    KvGeometry latents = KvGeometry.ofMla(5, 24, DType.INT64);
    for (int from : new int[] {1, 2, 8}) {
      for (int to : new int[] {1, 2, 8}) {
        pairs.add(Arguments.of(World.of(latents, from), World.of(latents, to)));
      }
    }
    return pairs.stream();
  }

  /** The payload that a worker's vLLM would have written. */
  private static ByteBuffer payload(World world, int worker) {
    KvGeometry model = world.model();
    int tp = world.tensorParallelSize();
    int stage = worker / tp;
    int rank = worker % tp;
    int firstLayer = world.layersOfStages().subList(0, stage).stream().mapToInt(n -> n).sum();
    int layers = world.layersOfStages().get(stage);
    int heads = Math.max(1, model.kvHeads() / tp);
    int replicas = Math.max(1, tp / model.kvHeads());
    int firstHead = (rank / replicas) * heads;
    int tensors = model.mla() ? 1 : 2;
    ByteBuffer bytes = empty(tensors * layers * TOKENS * heads * model.headSize());
    for (int tensor = 0; tensor < tensors; tensor++) {
      for (int layer = firstLayer; layer < firstLayer + layers; layer++) {
        for (int token = 0; token < TOKENS; token++) {
          for (int head = firstHead; head < firstHead + heads; head++) {
            for (int dim = 0; dim < model.headSize(); dim++) {
              bytes.putLong(number(model, tensor, layer, token, head, dim));
            }
          }
        }
      }
    }
    return bytes.flip();
  }

  private static long number(
      KvGeometry model, int tensor, int layer, int token, int head, int dim) {
    long number = (long) tensor * model.layers() + layer;
    number = number * TOKENS + token;
    number = number * model.kvHeads() + head;
    // Not zero, which is what a byte that was never written is.
    return number * model.headSize() + dim + 1;
  }

  private static ByteBuffer empty(int elements) {
    return ByteBuffer.allocate(elements * Long.BYTES);
  }

  /** All payloads of a world, put together from those of another. */
  private static List<ByteBuffer> reshard(Resharding plan, List<ByteBuffer> sources) {
    List<ByteBuffer> targets = new ArrayList<>();
    for (int worker = 0; worker < plan.to().size(); worker++) {
      ByteBuffer target =
          ByteBuffer.allocate((int) plan.to().geometry(worker).bytesPerToken() * TOKENS);
      for (int source : plan.sourcesOf(worker)) {
        plan.copyChunk(TOKENS, source, sources.get(source), worker, target);
      }
      targets.add(target);
    }
    return targets;
  }

  private static List<ByteBuffer> payloads(World world) {
    List<ByteBuffer> payloads = new ArrayList<>();
    for (int worker = 0; worker < world.size(); worker++) {
      payloads.add(payload(world, worker));
    }
    return payloads;
  }

  @ParameterizedTest
  @MethodSource("pairsOfWorlds")
  void everyElementIsWhereItsReaderLooksForIt(World from, World to) {
    List<ByteBuffer> targets = reshard(Resharding.between(from, to), payloads(from));
    assertThat(targets).isEqualTo(payloads(to));
    assertThat(reshard(Resharding.between(to, from), targets)).isEqualTo(payloads(from));
  }

  @Test
  void aHeadThatSeveralHaveIsTakenFromOne() {
    World sixteen = World.of(KvGeometry.LLAMA_3_1_8B, 16);
    Resharding plan = Resharding.between(sixteen, World.of(KvGeometry.LLAMA_3_1_8B, 4));
    assertThat(plan.sourcesOf(0)).containsExactly(0, 2);
    assertThat(plan.sourcesOf(3)).containsExactly(12, 14);
    assertThat(Resharding.between(plan.to(), sixteen).sourcesOf(5)).containsExactly(1);
  }

  @Test
  void singleLayersAreResharded() {
    KvGeometry model = KvGeometry.of(1, 8, 16, DType.INT64);
    // With one layer, [2, 1, tokens, hidden] is [2, tokens, hidden].
    World from = World.of(model, 2);
    World to = World.of(model, 8);
    Resharding plan = Resharding.between(from, to);
    for (int worker = 0; worker < 8; worker++) {
      ByteBuffer target = empty(2 * TOKENS * 16);
      for (int source : plan.sourcesOf(worker)) {
        plan.copyLayer(TOKENS, source, payload(from, source), worker, target);
      }
      assertThat(target).isEqualTo(payload(to, worker));
    }
    KvGeometry deep = KvGeometry.of(4, 8, 16, DType.INT64);
    Resharding staged = Resharding.between(new World(deep, 1, List.of(2, 2)), World.of(deep, 1));
    assertThatThrownBy(() -> staged.copyLayer(1, 0, empty(1), 0, empty(1)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("pipelining");
  }

  @Test
  void singleLayersOfLatentsAreCopied() {
    KvGeometry model = KvGeometry.ofMla(1, 24, DType.INT64);
    World from = World.of(model, 2);
    Resharding plan = Resharding.between(from, World.of(model, 4));
    for (int worker = 0; worker < 4; worker++) {
      assertThat(plan.sourcesOf(worker)).containsExactly(0);
      ByteBuffer target = empty(TOKENS * 24);
      plan.copyLayer(TOKENS, 0, payload(from, 0), worker, target);
      assertThat(target).isEqualTo(payload(from, 0));
    }
  }

  @Test
  void buffersOfAnotherLengthAreRefused() {
    KvGeometry model = KvGeometry.of(1, 2, 4, DType.INT64);
    Resharding plan = Resharding.between(World.of(model, 1), World.of(model, 2));
    assertThatThrownBy(() -> plan.copyChunk(TOKENS, 0, empty(1), 0, empty(24)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the source has 8 bytes, wanted are 384");
    assertThatThrownBy(() -> plan.copyChunk(TOKENS, 0, empty(48), 0, empty(48)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the target has 384 bytes, wanted are 192");
  }

  @Test
  void worldsThatCannotBeAreRefused() {
    KvGeometry model = KvGeometry.LLAMA_3_1_8B;
    assertThatThrownBy(() -> World.of(model, 3)).hasMessageContaining("8 KV heads");
    assertThatThrownBy(() -> new World(model, 1, List.of(16, 15)))
        .hasMessageContaining("are 31 in all, the model has 32");
    assertThatThrownBy(() -> new World(model, 1, List.of(32, 0))).hasMessageContaining("below 1");
    assertThatThrownBy(() -> World.of(model.withTensorParallelSize(2), 2))
        .hasMessageContaining("the whole model");
    assertThatThrownBy(() -> World.of(model, 2).geometry(2)).hasMessageContaining("0 to 1");
    assertThatThrownBy(
            () -> Resharding.between(World.of(model, 1), World.of(KvGeometry.LLAMA_3_3_70B, 1)))
        .hasMessageContaining("two models");
  }
}
