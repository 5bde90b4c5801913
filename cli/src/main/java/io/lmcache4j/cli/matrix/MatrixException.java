/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import java.io.Serial;

/** A chunk was lost or came back different, or there was no memory to measure with. */
public final class MatrixException extends RuntimeException {

  @Serial private static final long serialVersionUID = 1L;

  MatrixException(String message) {
    super(message);
  }
}
