/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A chunk of the usual kind, and headers that are made by hand. */
final class Samples {

  /** Bytes of {@link #payload()}. */
  static final int BYTES = 1024;

  static final RemoteMetadata METADATA =
      RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, 2, 16, 8), DType.BFLOAT16);

  private Samples() {}

  static CacheEngineKey key(long hash) {
    return CacheEngineKey.of("m", 1, 0, hash, DType.BFLOAT16);
  }

  static byte[] payload() {
    return pattern(BYTES);
  }

  /** The payload of the vectors: byte i is (7i + 3) mod 251. */
  static byte[] pattern(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) ((i * 7L + 3) % 251);
    }
    return bytes;
  }

  /** The header of {@link #METADATA}. */
  static byte[] header() {
    return ints(BYTES, 1, 3, 2, 2, 16, 8);
  }

  static byte[] ints(int... fields) {
    ByteBuffer header =
        ByteBuffer.allocate(fields.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int field : fields) {
      header.putInt(field);
    }
    return header.array();
  }

  /** Bytes of opaque content. */
  static RemoteMetadata opaque(int length) {
    return RemoteMetadata.of(MemoryFormat.BINARY_BUFFER, Shape.of(length), DType.NONE);
  }
}
