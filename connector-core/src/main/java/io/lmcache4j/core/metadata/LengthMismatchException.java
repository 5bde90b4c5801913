/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

/** A length that is not the size of the shapes and dtypes. */
public final class LengthMismatchException extends MetadataException {

  private static final long serialVersionUID = 1L;

  LengthMismatchException(String key, long length, long described) {
    super(
        key,
        NO_GROUP,
        "length",
        Long.toString(length),
        described
            + (described == Long.MAX_VALUE ? " or more" : "")
            + ", the bytes of its shapes and dtypes");
  }
}
