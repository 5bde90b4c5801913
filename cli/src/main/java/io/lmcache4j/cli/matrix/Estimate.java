/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import io.lmcache4j.cli.matrix.MatrixResult.Setting;

/**
 * What loading a prompt's cache would save, from figures that others have published: an estimate,
 * and no measurement of anything.
 *
 * <p>A prefill of {@code n} tokens takes {@code 2 · parameters · n} operations for the weights, and
 * {@code 2 · layers · n² · query heads · head size} for attention with a causal mask: the forward
 * pass of Kaplan et al., "Scaling Laws for Neural Language Models", arXiv 2001.08361, section 2.1.
 * That counts the embeddings, which only look up, and so is some percent too high. It is divided by
 * {@link #UTILISATION} of what the GPUs can do together, as if tensor parallelism cost nothing.
 */
final class Estimate {

  /**
   * The part of a GPU's peak that a forward pass reaches. "The Llama 3 Herd of Models", arXiv
   * 2407.21783, table 4: 38 to 43 % on H100, in training. Nothing as good is published for a
   * prefill, nor for the other GPU.
   */
  static final double UTILISATION = 0.40;

  static final String UTILISATION_SOURCE =
      "The Llama 3 Herd of Models, arXiv 2407.21783, table 4: 38 to 43 % in training on H100;"
          + " assumed for prefill, and for the other GPU";

  static final String FLOPS_SOURCE =
      "Kaplan et al., Scaling Laws for Neural Language Models, arXiv 2001.08361, section 2.1";

  /** Line rate of 100 Gbit/s Ethernet, as if headers and the server cost nothing. */
  static final double NETWORK_BITS_PER_SECOND = 100e9;

  static final String NETWORK_SOURCE = "IEEE 802.3, 100 Gbit/s Ethernet: its line rate";

  private static final int BITS_PER_BYTE = 8;
  private static final double MILLIS_PER_SECOND = 1e3;

  private Estimate() {}

  /** What can be bought. */
  enum Gpu {
    /** 1,979 TFLOPS with sparsity; half of that is dense. */
    H100("H100 SXM", 989.5e12, "NVIDIA H100 Tensor Core GPU data sheet: 1,979 with sparsity"),

    /** The data sheet gives dense and sparse figures side by side. */
    MI300X("MI300X", 1307.4e12, "AMD Instinct MI300X data sheet");

    /** Name in reports. */
    final String label;

    /** Dense operations on bfloat16. */
    final double flopsPerSecond;

    final String source;

    Gpu(String label, double flopsPerSecond, String source) {
      this.label = label;
      this.flopsPerSecond = flopsPerSecond;
      this.source = source;
    }
  }

  /** Operations of a prefill. */
  static double prefillFlops(Setting model, int tokens) {
    double attention =
        2.0 * model.layers() * tokens * tokens * model.queryHeads() * model.headSize();
    return 2.0 * model.parameters() * tokens + attention;
  }

  /** Time of a prefill on a number of GPUs, in milliseconds. */
  static double prefillMillis(Setting model, int tokens, Gpu gpu, int gpus) {
    return prefillFlops(model, tokens)
        / (gpus * gpu.flopsPerSecond * UTILISATION)
        * MILLIS_PER_SECOND;
  }

  /** Time on the network, in milliseconds. */
  static double networkMillis(long bytes) {
    return bytes * BITS_PER_BYTE / NETWORK_BITS_PER_SECOND * MILLIS_PER_SECOND;
  }

  /** The rate in Gbit/s above which loading is faster than computing. */
  static double breakEvenGbit(long bytes, double prefillMillis) {
    return bytes * BITS_PER_BYTE / (prefillMillis / MILLIS_PER_SECOND) / 1e9;
  }
}
