/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.metadata.RemoteMetadata;
import java.util.Optional;

/**
 * What Python LMCache makes of the same metadata: {@code zip(shapes, dtypes, strict=True)} in
 * {@code RemoteMetadata._prepare_params} (lmcache/v1/protocol.py, 0.3.12 to 0.5.6).
 */
final class StrictZip {

  private StrictZip() {}

  /** Returns the error with which it loses the chunk, or empty if it stores it. */
  static Optional<String> complaint(RemoteMetadata metadata) {
    int missing = metadata.shapes().size() - metadata.dtypes().size();
    if (missing == 0) {
      return Optional.empty();
    }
    return Optional.of(
        "ValueError: zip() argument 2 is "
            + (missing > 0 ? "shorter" : "longer")
            + " than argument 1");
  }
}
