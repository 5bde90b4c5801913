/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256 into an array that is reused. Scratch of one call: for one thread. */
final class Sha256 {

  static final int BYTES = 32;

  private final MessageDigest digest;
  private final byte[] result = new byte[BYTES];

  Sha256() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /**
   * Digests bytes.
   *
   * @return the digest, in an array that the next call overwrites
   */
  byte[] digest(byte[] bytes, int offset, int length) {
    digest.update(bytes, offset, length);
    try {
      digest.digest(result, 0, BYTES);
    } catch (DigestException e) {
      throw new IllegalStateException("SHA-256 has " + BYTES + " bytes", e);
    }
    return result;
  }
}
