/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

import io.lmcache4j.core.LmcacheVersion;
import java.util.Arrays;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * How the bytes of a chunk are laid out ({@code MemoryFormat}, {@code
 * lmcache/v1/memory_management.py}, LMCache 0.5.6).
 *
 * <p>Its number in a header depends on the release. 0.3.1 inserted {@link #KV_2TD} before the
 * formats that follow it, so that number 5 is {@link #KV_MLA_FMT} for 0.3.0 and {@link
 * #BINARY_BUFFER} ever since.
 */
public enum MemoryFormat {
  /** Not said. Number 0. */
  UNDEFINED(0, 0, 0, 3, 0),

  /** A chunk of all layers: {@code [2, layers, tokens, hidden]}, keys before values. Number 1. */
  KV_2LTD(1, 1, 0, 3, 0),

  /** One layer of a chunk: {@code [tokens, 2, hidden]}. Number 2. */
  KV_T2D(2, 2, 0, 3, 0),

  /** One layer of a chunk, for blending: {@code [2, tokens, hidden]}. Number 3; not in 0.3.0. */
  KV_2TD(3, -1, 0, 3, 1),

  /** Opaque bytes: {@code [n, 0, 0, 0]}, n bytes. Number 4; 3 in 0.3.0. */
  BINARY(4, 3, 0, 3, 0),

  /**
   * Opaque bytes in a buffer, as cachegen's: {@code [n, 0, 0, 0]}, n bytes. Number 5; 4 in 0.3.0.
   */
  BINARY_BUFFER(5, 4, 0, 3, 0),

  /**
   * Latents of an MLA model: {@code [1, layers, tokens, latent]}, or {@code [tokens, latent]} for
   * one layer. Number 6; 5 in 0.3.0.
   */
  KV_MLA_FMT(6, 5, 0, 3, 0),

  /** Embeddings of an encoder: {@code [tokens, hidden]}. Number 7; from 0.4.5 on. */
  EC_TD(7, -1, 0, 4, 5),

  /** Hidden states: {@code [tokens, hidden]}. Number 8; from 0.5.1 on. */
  HS_TD(8, -1, 0, 5, 1);

  private static final MemoryFormat[] FORMATS = values();

  private final int code;
  private final int codeIn030;
  private final int major;
  private final int minor;
  private final int patch;

  MemoryFormat(int code, int codeIn030, int major, int minor, int patch) {
    this.code = code;
    this.codeIn030 = codeIn030;
    this.major = major;
    this.minor = minor;
    this.patch = patch;
  }

  /**
   * The number that a release writes into a header.
   *
   * @param version the release
   * @return the number, or empty if that release has no such format
   */
  public OptionalInt code(LmcacheVersion version) {
    int known = codeOrNegative(version);
    return known < 0 ? OptionalInt.empty() : OptionalInt.of(known);
  }

  private int codeOrNegative(LmcacheVersion version) {
    if (!version.isAtLeast(0, 3, 1)) {
      return codeIn030;
    }
    return version.isAtLeast(major, minor, patch) ? code : -1;
  }

  /**
   * Finds a format by its number in a header.
   *
   * @param code the number
   * @param version the release that wrote it
   * @return the format, or null if that release has no such number
   */
  public static @Nullable MemoryFormat byCode(int code, LmcacheVersion version) {
    if (code >= 0) {
      for (MemoryFormat format : FORMATS) {
        if (format.codeOrNegative(version) == code) {
          return format;
        }
      }
    }
    return null;
  }

  /**
   * Whether the payload is opaque bytes: its first dimension counts bytes, and LMCache keeps the
   * zeros after it when it reads a header.
   *
   * @return true for {@link #BINARY} and {@link #BINARY_BUFFER}
   */
  public boolean isBinary() {
    return this == BINARY || this == BINARY_BUFFER;
  }

  /**
   * Finds a format by LMCache's name.
   *
   * @param name e.g. {@code KV_2LTD}
   * @return the format
   * @throws IllegalArgumentException if none is called so; the message names those that are
   */
  public static MemoryFormat parse(String name) {
    Objects.requireNonNull(name, "name");
    for (MemoryFormat format : FORMATS) {
      if (format.name().equals(name)) {
        return format;
      }
    }
    throw new IllegalArgumentException(
        "unknown memory format \"" + name + "\" (known: " + Arrays.toString(FORMATS) + ")");
  }
}
