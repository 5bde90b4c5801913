/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

/** A length or dimension that does not fit its signed 32-bit field, or is negative. */
public final class IntRangeException extends MetadataException {

  private static final long serialVersionUID = 1L;

  IntRangeException(String key, int group, String what, long value, long min) {
    super(key, group, what, Long.toString(value), min + " to " + Integer.MAX_VALUE);
  }
}
