/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;

/** The ranges of a chunk are not as long as its metadata says, or longer than a payload can be. */
public final class ChunkSizeException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  ChunkSizeException(ChunkKey key, String problem) {
    super(quote(key.toString()) + ": " + problem);
  }
}
