/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import io.lmcache4j.core.key.ChunkKey;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract of LMCache's two keys a chunk, in every topology. */
@MethodSource("io.lmcache4j.tests.contract.Variant#pairs")
abstract class ConnectorContract extends Contract {

  static String header(ChunkKey key) {
    return key + "metadata";
  }

  static String payload(ChunkKey key) {
    return key + "kv_bytes";
  }
}
