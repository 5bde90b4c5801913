/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;

/** Payloads that both sides can make from two numbers: byte i is {@code (i * 7 + seed) mod 251}. */
final class Payloads {

  private static final int PERIOD = 251;

  private Payloads() {}

  /** The payload as a request to the peer says it. */
  static JsonNode request(long length, int seed) {
    return Json.object("rule", "affine", "seed", seed, "length", length);
  }

  /** A lease that is filled with the payload; the caller closes it. */
  static ChunkBuffer lease(HostMemory memory, int length, int seed) {
    ChunkBuffer lease = Objects.requireNonNull(memory.tryLease(length), "no room");
    ByteBuffer bytes = lease.nio();
    byte[] period = bytes(PERIOD, seed);
    while (bytes.hasRemaining()) {
      bytes.put(period, 0, Math.min(PERIOD, bytes.remaining()));
    }
    return lease;
  }

  static byte[] bytes(int length, int seed) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) ((i * 7L + seed) % PERIOD);
    }
    return bytes;
  }

  static String sha256(ByteBuffer bytes) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(bytes.duplicate());
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
