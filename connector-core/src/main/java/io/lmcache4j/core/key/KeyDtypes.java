/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import io.lmcache4j.core.DType;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The names of dtypes in a key, which changed for the 8-bit floats. */
enum KeyDtypes {
  /** The grammar has no dtype. */
  ABSENT,

  /** One name for both types of a kind; read as the last one in LMCache's table. */
  SHORT_FP8,

  /** One name each. */
  CURRENT;

  private static final DType[] DTYPES = DType.values();

  String nameOf(DType dtype) {
    if (this == SHORT_FP8) {
      switch (dtype) {
        case FLOAT8_E4M3FN, FLOAT8_E4M3FNUZ -> {
          return "fp8_e4m3";
        }
        case FLOAT8_E5M2, FLOAT8_E5M2FNUZ -> {
          return "fp8_e5m2";
        }
        default -> {}
      }
    }
    return dtype.keyName();
  }

  @Nullable DType byName(String name) {
    if (this != ABSENT) {
      for (int i = DTYPES.length - 1; i >= 0; i--) {
        if (DTYPES[i] != DType.NONE && name.equals(nameOf(DTYPES[i]))) {
          return DTYPES[i];
        }
      }
    }
    return null;
  }

  Set<String> known() {
    Set<String> names = new LinkedHashSet<>();
    for (DType dtype : DTYPES) {
      if (dtype != DType.NONE) {
        names.add(nameOf(dtype));
      }
    }
    return names;
  }
}
