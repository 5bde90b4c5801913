/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

/** A memory format that the release to be written for does not have. */
public final class UnsupportedFormatException extends MetadataException {

  private static final long serialVersionUID = 1L;

  UnsupportedFormatException(String key, MemoryFormat format, String limit) {
    super(key, NO_GROUP, "memory format", format.name(), limit);
  }
}
