/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.model;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.Shape;
import java.util.Objects;

/**
 * What one rank of a model keeps for a token, and with it the shape and size of a chunk.
 *
 * <pre>
 *                       grouped-query attention      multi-head latent attention (MLA)
 *   whole chunk         [2, layers, tokens, hidden]  [1, layers, tokens, latent]
 *   one layer           [tokens, 2, hidden]          [tokens, latent]
 *   one layer, blended  [2, tokens, hidden]          (LMCache has none)
 * </pre>
 *
 * <p>{@code hidden} is the rank's KV heads times the head size. Tensor parallelism shares the KV
 * heads out; with more ranks than heads each head is on several ranks. An MLA latent is whole on
 * each rank.
 *
 * <p>Sources (LMCache 0.5.6): {@code get_shape} of the connectors in {@code
 * lmcache/v1/gpu_connector/gpu_connectors.py}; vLLM's {@code ModelConfig.get_num_kv_heads}.
 *
 * @param layers layers that the rank holds; with pipeline parallelism its own share
 * @param kvHeads KV heads of the whole model; 1 for MLA
 * @param headSize elements of a head, or of the latent
 * @param mla whether the model has latents instead of keys and values
 * @param dtype type of an element
 * @param tensorParallelSize ranks that share the heads
 * @param chunkSize tokens in a chunk
 */
public record KvGeometry(
    int layers,
    int kvHeads,
    int headSize,
    boolean mla,
    DType dtype,
    int tensorParallelSize,
    int chunkSize) {

  /** LMCache's default {@code chunk_size}. */
  public static final int DEFAULT_CHUNK_SIZE = 256;

  /**
   * meta-llama/Llama-3.1-8B-Instruct in bfloat16 on one GPU: 32 layers, 8 KV heads of 128 (its
   * {@code config.json}); a chunk is 32 MiB.
   */
  public static final KvGeometry LLAMA_3_1_8B = of(32, 8, 128, DType.BFLOAT16);

  /**
   * meta-llama/Llama-3.3-70B-Instruct in bfloat16 on one GPU: 80 layers, 8 KV heads of 128 (its
   * {@code config.json}); a chunk is 80 MiB.
   */
  public static final KvGeometry LLAMA_3_3_70B = of(80, 8, 128, DType.BFLOAT16);

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is below 1, if the KV heads cannot be shared out
   *     evenly, if an MLA model has more than one, or if there is no dtype
   */
  public KvGeometry {
    Objects.requireNonNull(dtype, "dtype");
    requirePositive("layers", layers);
    requirePositive("kvHeads", kvHeads);
    requirePositive("headSize", headSize);
    requirePositive("tensorParallelSize", tensorParallelSize);
    requirePositive("chunkSize", chunkSize);
    if (dtype == DType.NONE) {
      throw new IllegalArgumentException("dtype is none, but elements have one");
    }
    if (mla && kvHeads != 1) {
      throw new IllegalArgumentException("kvHeads is " + kvHeads + ", allowed with MLA: 1");
    }
    if (kvHeads % tensorParallelSize != 0 && tensorParallelSize % kvHeads != 0) {
      throw new IllegalArgumentException(
          "tensorParallelSize is "
              + tensorParallelSize
              + ", allowed: a divisor or a multiple of the "
              + kvHeads
              + " KV heads");
    }
  }

  private static void requirePositive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " is " + value + ", allowed: 1 or more");
    }
  }

  /**
   * Returns the geometry of a model on one GPU with chunks of {@value #DEFAULT_CHUNK_SIZE} tokens.
   *
   * @param layers its layers
   * @param kvHeads its KV heads
   * @param headSize elements of a head
   * @param dtype type of an element
   * @return the geometry
   */
  public static KvGeometry of(int layers, int kvHeads, int headSize, DType dtype) {
    return new KvGeometry(layers, kvHeads, headSize, false, dtype, 1, DEFAULT_CHUNK_SIZE);
  }

  /**
   * Returns the geometry of an MLA model on one GPU with chunks of {@value #DEFAULT_CHUNK_SIZE}
   * tokens.
   *
   * @param layers its layers
   * @param latentSize elements of a token's latent; for DeepSeek {@code kv_lora_rank +
   *     qk_rope_head_dim}
   * @param dtype type of an element
   * @return the geometry
   */
  public static KvGeometry ofMla(int layers, int latentSize, DType dtype) {
    return new KvGeometry(layers, 1, latentSize, true, dtype, 1, DEFAULT_CHUNK_SIZE);
  }

  /**
   * The same model on another number of ranks.
   *
   * @param tensorParallelSize ranks that share the heads
   * @return a geometry
   */
  public KvGeometry withTensorParallelSize(int tensorParallelSize) {
    return new KvGeometry(layers, kvHeads, headSize, mla, dtype, tensorParallelSize, chunkSize);
  }

  /**
   * The same model with another number of layers, as a stage of a pipeline holds them.
   *
   * @param layers layers of one rank
   * @return a geometry
   */
  public KvGeometry withLayers(int layers) {
    return new KvGeometry(layers, kvHeads, headSize, mla, dtype, tensorParallelSize, chunkSize);
  }

  /**
   * The same model with another element type.
   *
   * @param dtype type of an element
   * @return a geometry
   */
  public KvGeometry withDtype(DType dtype) {
    return new KvGeometry(layers, kvHeads, headSize, mla, dtype, tensorParallelSize, chunkSize);
  }

  /**
   * The same model with other chunks.
   *
   * @param chunkSize tokens in a chunk
   * @return a geometry
   */
  public KvGeometry withChunkSize(int chunkSize) {
    return new KvGeometry(layers, kvHeads, headSize, mla, dtype, tensorParallelSize, chunkSize);
  }

  /**
   * KV heads on one rank.
   *
   * @return 1 or more; with more ranks than heads, a head that other ranks have as well
   */
  public int kvHeadsPerRank() {
    return Math.max(1, kvHeads / tensorParallelSize);
  }

  /**
   * Elements of a token's key (or value, or latent) in one layer of one rank.
   *
   * @return the last dimension of every shape here
   */
  public long hiddenPerRank() {
    return (long) kvHeadsPerRank() * headSize;
  }

  /**
   * How many tensors a layer has.
   *
   * @return 2, its keys and its values; 1 with MLA, its latents
   */
  public int tensors() {
    return mla ? 1 : 2;
  }

  /**
   * How a whole chunk is laid out.
   *
   * @return {@link MemoryFormat#KV_2LTD}, or {@link MemoryFormat#KV_MLA_FMT} with MLA
   */
  public MemoryFormat chunkFormat() {
    return mla ? MemoryFormat.KV_MLA_FMT : MemoryFormat.KV_2LTD;
  }

  /**
   * Shape of a full chunk.
   *
   * @return {@code [2, layers, chunkSize, hidden]}, or {@code [1, layers, chunkSize, latent]}
   */
  public Shape chunkShape() {
    return chunkShape(chunkSize);
  }

  /**
   * Shape of a chunk, which may be a short one.
   *
   * @param tokens its tokens, 1 to the chunk size
   * @return {@code [2, layers, tokens, hidden]}, or {@code [1, layers, tokens, latent]}
   * @throws IllegalArgumentException if no chunk has so many tokens
   */
  public Shape chunkShape(int tokens) {
    requireChunk(tokens);
    return Shape.of(tensors(), layers, tokens, hiddenPerRank());
  }

  /**
   * How one layer of a chunk is laid out.
   *
   * @return {@link MemoryFormat#KV_T2D}, or {@link MemoryFormat#KV_MLA_FMT} with MLA
   */
  public MemoryFormat layerFormat() {
    return mla ? MemoryFormat.KV_MLA_FMT : MemoryFormat.KV_T2D;
  }

  /**
   * Shape of one layer of a chunk.
   *
   * @param tokens the chunk's tokens, 1 to the chunk size
   * @return {@code [tokens, 2, hidden]}, or {@code [tokens, latent]}
   * @throws IllegalArgumentException if no chunk has so many tokens
   */
  public Shape layerShape(int tokens) {
    requireChunk(tokens);
    return mla ? Shape.of(tokens, hiddenPerRank()) : Shape.of(tokens, tensors(), hiddenPerRank());
  }

  /**
   * Shape of one layer of a chunk where LMCache blends, in {@link MemoryFormat#KV_2TD}.
   *
   * @param tokens the chunk's tokens, 1 to the chunk size
   * @return {@code [2, tokens, hidden]}
   * @throws IllegalArgumentException if no chunk has so many tokens
   * @throws IllegalStateException with MLA, which LMCache cannot blend
   */
  public Shape blendedLayerShape(int tokens) {
    requireChunk(tokens);
    if (mla) {
      throw new IllegalStateException("LMCache blends no MLA model");
    }
    return Shape.of(tensors(), tokens, hiddenPerRank());
  }

  /**
   * Bytes that one rank keeps for a token, all layers together.
   *
   * @return the number of bytes
   * @throws ArithmeticException if it exceeds a {@code long}
   */
  public long bytesPerToken() {
    long elements = Math.multiplyExact((long) tensors() * layers, hiddenPerRank());
    return Math.multiplyExact(elements, dtype.itemSize());
  }

  /**
   * Bytes of a full chunk of one rank.
   *
   * @return the number of bytes; a header of LMCache cannot describe more than 2^31 - 1
   * @throws ArithmeticException if it exceeds a {@code long}
   */
  public long bytesPerChunk() {
    return Math.multiplyExact(bytesPerToken(), chunkSize);
  }

  /**
   * How many chunks a prompt has.
   *
   * @param tokens its tokens, 0 or more
   * @return the number of full chunks, plus one if tokens are left over
   * @throws IllegalArgumentException if the number is negative
   */
  public int chunksFor(int tokens) {
    if (tokens < 0) {
      throw new IllegalArgumentException("tokens is " + tokens + ", allowed: 0 or more");
    }
    return tokens / chunkSize + (tokens % chunkSize == 0 ? 0 : 1);
  }

  private void requireChunk(int tokens) {
    if (tokens < 1 || tokens > chunkSize) {
      throw new IllegalArgumentException(
          "tokens is " + tokens + ", allowed in a chunk: 1 to " + chunkSize);
    }
  }
}
