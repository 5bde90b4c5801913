/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Dtypes as the peer names them. */
final class Dtypes {

  private static final List<@Nullable String> NAMES = names();

  private Dtypes() {}

  private static List<@Nullable String> names() {
    List<@Nullable String> names = new ArrayList<>();
    for (DType dtype : DType.values()) {
      names.add(dtype == DType.NONE ? null : dtype.torchName());
    }
    // Torch has them, and neither LMCache nor lmcache4j.
    names.add("uint16");
    names.add("complex64");
    return names;
  }

  static @Nullable String any(Source source) {
    return NAMES.get(source.below(NAMES.size()));
  }

  /** The dtype, or null if lmcache4j has none of that name. */
  static @Nullable DType of(JsonNode name) {
    if (name.isNull() || name.isMissingNode()) {
      return DType.NONE;
    }
    for (DType dtype : DType.values()) {
      if (dtype.torchName().equals(name.textValue())) {
        return dtype;
      }
    }
    return null;
  }
}
