/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core;

import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * An element type of a chunk: torch's name, LMCache's name for it in a key, its number in a
 * metadata header.
 *
 * <p>Sources (LMCache 0.5.6): key names {@code lmcache/utils.py} ({@code
 * TORCH_DTYPE_TO_STR_DTYPE}), header numbers {@code lmcache/v1/protocol.py} ({@code DTYPE_TO_INT}).
 * A type without a number can name the engine's dtype in a key but cannot describe a payload:
 * LMCache refuses to encode it, and so does this library.
 */
public enum DType {
  /** No element type: an opaque byte buffer. Number 0 in a header; never in a key. */
  NONE("none", null, 1, 0),
  /** IEEE half precision. Number 2; 1 is decoded to it as well, and never written. */
  FLOAT16("float16", "half", 2, 2),
  /** Brain floating point; what missing dtypes are back-filled with when there is none at all. */
  BFLOAT16("bfloat16", "bfloat16", 2, 3),
  /** IEEE single precision. */
  FLOAT32("float32", "float", 4, 4),
  /** IEEE double precision. */
  FLOAT64("float64", "double", 8, 5),
  /** Unsigned byte; also what vLLM's fp8 KV cache arrives as. */
  UINT8("uint8", "uint8", 1, 6),
  /** 8-bit float, 4 exponent bits, finite. */
  FLOAT8_E4M3FN("float8_e4m3fn", "fp8_e4m3fn", 1, 7),
  /** 8-bit float, 5 exponent bits. */
  FLOAT8_E5M2("float8_e5m2", "fp8_e5m2", 1, 8),
  /** 8-bit float of AMD's MI300, 4 exponent bits. Keys only. */
  FLOAT8_E4M3FNUZ("float8_e4m3fnuz", "fp8_e4m3fnuz", 1, -1),
  /** 8-bit float of AMD's MI300, 5 exponent bits. Keys only. */
  FLOAT8_E5M2FNUZ("float8_e5m2fnuz", "fp8_e5m2fnuz", 1, -1),
  /** Signed byte. Keys only. */
  INT8("int8", "int8", 1, -1),
  /** Signed 16-bit integer. Keys only. */
  INT16("int16", "int16", 2, -1),
  /** Signed 32-bit integer. Keys only. */
  INT32("int32", "int32", 4, -1),
  /** Signed 64-bit integer. Keys only. */
  INT64("int64", "int64", 8, -1),
  /** One byte, 0 or 1. Keys only. */
  BOOL("bool", "bool", 1, -1);

  /** {@code FLOAT16}'s second number, which LMCache reads and never writes. */
  private static final int FLOAT16_ALIAS = 1;

  private static final DType[] BY_WIRE_CODE = new DType[9];

  static {
    for (DType d : values()) {
      if (d.wireCode >= 0) {
        BY_WIRE_CODE[d.wireCode] = d;
      }
    }
    BY_WIRE_CODE[FLOAT16_ALIAS] = FLOAT16;
  }

  private final String torchName;
  private final @Nullable String keyName;
  private final int itemSize;
  private final int wireCode;

  DType(String torchName, @Nullable String keyName, int itemSize, int wireCode) {
    this.torchName = torchName;
    this.keyName = keyName;
    this.itemSize = itemSize;
    this.wireCode = wireCode;
  }

  /**
   * Torch's name without {@code torch.}: {@code float16}, {@code float8_e4m3fn}, …
   *
   * @return the name; {@code none} for {@link #NONE}
   */
  public String torchName() {
    return torchName;
  }

  /**
   * LMCache's name in a key (0.3.14 and newer): {@code half}, {@code fp8_e4m3fn}, …
   *
   * @return the name
   * @throws IllegalStateException for {@link #NONE}, which no key can carry
   */
  public String keyName() {
    if (keyName == null) {
      throw new IllegalStateException("dtype " + torchName + " has no name in a key");
    }
    return keyName;
  }

  /**
   * Bytes of one element.
   *
   * @return 1, 2, 4 or 8
   */
  public int itemSize() {
    return itemSize;
  }

  /**
   * The number in a metadata header.
   *
   * @return the number, or empty if LMCache's table has none, so that a payload cannot have this
   *     type
   */
  public OptionalInt wireCode() {
    return wireCode < 0 ? OptionalInt.empty() : OptionalInt.of(wireCode);
  }

  /**
   * Finds a type by its number in a header.
   *
   * @param code the number
   * @return the type, or null if the number is unknown
   */
  public static @Nullable DType byWireCode(int code) {
    return code >= 0 && code < BY_WIRE_CODE.length ? BY_WIRE_CODE[code] : null;
  }

  /**
   * Finds a type by its name in a key of LMCache 0.3.14 or newer.
   *
   * @param name e.g. {@code half}
   * @return the type, or null if the name is unknown
   */
  public static @Nullable DType byKeyName(String name) {
    for (DType d : values()) {
      if (name.equals(d.keyName)) {
        return d;
      }
    }
    return null;
  }

  /**
   * Finds a type by torch's name, with or without {@code torch.}, or by its name in a key.
   *
   * @param name e.g. {@code bfloat16}, {@code torch.float16}, {@code half}
   * @return the type
   * @throws IllegalArgumentException if no type is called so; the message names those that are
   */
  public static DType parse(String name) {
    Objects.requireNonNull(name, "name");
    String bare = name.startsWith("torch.") ? name.substring("torch.".length()) : name;
    for (DType d : values()) {
      if (bare.equals(d.torchName) || bare.equals(d.keyName)) {
        return d;
      }
    }
    StringBuilder known = new StringBuilder();
    for (DType d : values()) {
      known.append(known.length() == 0 ? "" : ", ").append(d.torchName);
    }
    throw new IllegalArgumentException("unknown dtype \"" + name + "\" (known: " + known + ")");
  }
}
