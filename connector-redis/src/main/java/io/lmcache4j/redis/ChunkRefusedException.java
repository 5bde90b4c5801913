/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.LmcacheException;

/** A chunk that the layout of this URL cannot hold; nothing was sent. */
public final class ChunkRefusedException extends LmcacheException {

  private static final long serialVersionUID = 1L;

  ChunkRefusedException(String key, String reason) {
    super("put " + key + ": " + reason);
  }
}
