/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import java.util.List;
import java.util.stream.Stream;

/** The releases that differ in their headers. */
final class Codecs {

  /** One for each change: numbers of formats, ranks, further formats. */
  static final List<LmcacheVersion> VERSIONS =
      Stream.of("0.3.0", "0.3.1", "0.4.4", "0.4.5", "0.5.1", "0.5.6")
          .map(LmcacheVersion::parse)
          .toList();

  static final List<RemoteMetadataCodec> ALL =
      VERSIONS.stream().map(RemoteMetadataCodec::of).toList();

  private Codecs() {}
}
