/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.model;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A model whose numbers are known by name, from the {@code config.json} that is published with it:
 * a dense transformer of Llama's kind, with gated MLPs, grouped-query attention, and an output that
 * shares no weights with the embeddings.
 *
 * @param shortName for command lines, such as {@code llama-3.1-8b}
 * @param modelName under which vLLM serves it by default, which is the name in chunk keys
 * @param geometry what the whole model caches, on one GPU, in the dtype of its weights
 * @param queryHeads {@code num_attention_heads}, of the same size as the KV heads
 * @param hiddenSize {@code hidden_size}
 * @param intermediateSize {@code intermediate_size} of the MLPs
 * @param vocabularySize {@code vocab_size}
 */
public record KnownModel(
    String shortName,
    String modelName,
    KvGeometry geometry,
    int queryHeads,
    int hiddenSize,
    int intermediateSize,
    int vocabularySize) {

  /** Llama-3.1-8B-Instruct. */
  public static final KnownModel LLAMA_3_1_8B =
      new KnownModel(
          "llama-3.1-8b",
          "meta-llama/Llama-3.1-8B-Instruct",
          KvGeometry.LLAMA_3_1_8B,
          32,
          4096,
          14336,
          128256);

  /** Llama-3.3-70B-Instruct. */
  public static final KnownModel LLAMA_3_3_70B =
      new KnownModel(
          "llama-3.3-70b",
          "meta-llama/Llama-3.3-70B-Instruct",
          KvGeometry.LLAMA_3_3_70B,
          64,
          8192,
          28672,
          128256);

  private static final List<KnownModel> ALL = List.of(LLAMA_3_1_8B, LLAMA_3_3_70B);

  /**
   * Every model that is known.
   *
   * @return the models
   */
  public static List<KnownModel> all() {
    return ALL;
  }

  /**
   * Finds a model.
   *
   * @param name its short name or its name in keys, in any case
   * @return the model, if it is known
   */
  public static Optional<KnownModel> named(String name) {
    String wanted = name.toLowerCase(Locale.ROOT);
    return ALL.stream()
        .filter(
            model ->
                model.shortName.equals(wanted)
                    || model.modelName.toLowerCase(Locale.ROOT).equals(wanted))
        .findFirst();
  }

  /**
   * Weights of the model: of each layer the projections of attention, the three matrices of the MLP
   * and two norms; the embeddings, as many again for the output, and the last norm.
   *
   * @return a count
   */
  public long parameters() {
    long hidden = hiddenSize;
    long query = (long) queryHeads * geometry.headSize();
    long keyValue = (long) geometry.kvHeads() * geometry.headSize();
    long attention = hidden * (query + 2 * keyValue) + query * hidden;
    long layer = attention + 3 * hidden * intermediateSize + 2 * hidden;
    return geometry.layers() * layer + 2 * hidden * vocabularySize + hidden;
  }
}
