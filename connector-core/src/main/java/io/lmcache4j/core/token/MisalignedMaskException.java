/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import io.lmcache4j.core.LmcacheException;

/** A mask hides a part of a chunk: the number of masked tokens is no multiple of the chunk size. */
public final class MisalignedMaskException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  private final int maskedPrefix;
  private final int chunkSize;

  MisalignedMaskException(int maskedPrefix, int chunkSize) {
    super(
        "the mask hides "
            + maskedPrefix
            + " tokens, which is not a multiple of the chunk size "
            + chunkSize);
    this.maskedPrefix = maskedPrefix;
    this.chunkSize = chunkSize;
  }

  /**
   * How many tokens the mask hides.
   *
   * @return the number of tokens
   */
  public int maskedPrefix() {
    return maskedPrefix;
  }

  /**
   * What that has to be a multiple of.
   *
   * @return the number of tokens
   */
  public int chunkSize() {
    return chunkSize;
  }
}
