/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

/** A length that is not the size of the shapes and dtypes, or not that of the payload. */
public final class LengthMismatchException extends MetadataException {

  private static final long serialVersionUID = 1L;

  LengthMismatchException(String key, long length, long bytes, String of) {
    super(
        key,
        NO_GROUP,
        "length",
        Long.toString(length),
        bytes + (bytes == Long.MAX_VALUE ? " or more" : "") + ", the bytes of " + of);
  }
}
