/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import java.io.Serial;

/** The peer did not answer as it should; the message has its last words. */
public final class PeerException extends RuntimeException {

  @Serial private static final long serialVersionUID = 1L;

  PeerException(String message) {
    super(message);
  }
}
