/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

/** How the bytes of a chunk are laid out. */
public enum MemoryFormat {
  /** Unknown. */
  UNDEFINED,
  /** {@code [2, layers, tokens, hidden]}. */
  KV_2LTD,
  /** {@code [tokens, 2, hidden]}. */
  KV_T2D,
  /** {@code [2, tokens, hidden]}. */
  KV_2TD,
  /** Opaque. */
  BINARY,
  /** Opaque. */
  BINARY_BUFFER,
  /** MLA. */
  KV_MLA_FMT,
  /** Encoder cache. */
  EC_TD,
  /** Hidden states. */
  HS_TD
}
