/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

import io.lmcache4j.core.LmcacheException;

/** Metadata that cannot be written, or bytes that are no metadata. */
public abstract sealed class MetadataException extends LmcacheException
    permits DtypeCountException,
        GroupCountException,
        IntRangeException,
        LengthMismatchException,
        ShapeRankException,
        TruncatedMetadataException,
        UnknownCodeException,
        UnsupportedDtypeException,
        UnsupportedFormatException {

  /** What {@link #group()} is when the metadata as a whole is at fault. */
  public static final int NO_GROUP = -1;

  private static final long serialVersionUID = 1L;

  private final String key;
  private final int group;
  private final String value;
  private final String limit;

  MetadataException(String key, int group, String what, String value, String limit) {
    super(
        "metadata of "
            + quote(key)
            + (group == NO_GROUP ? "" : ", group " + group)
            + ": "
            + what
            + " is "
            + value
            + ", allowed: "
            + limit);
    this.key = key;
    this.group = group;
    this.value = value;
    this.limit = limit;
  }

  /**
   * The key that was to be written or read.
   *
   * @return the key as the caller gave it
   */
  public final String key() {
    return key;
  }

  /**
   * The group at fault, counted from 0.
   *
   * @return the group, or {@link #NO_GROUP}
   */
  public final int group() {
    return group;
  }

  /**
   * What was refused.
   *
   * @return the value as text
   */
  public final String value() {
    return value;
  }

  /**
   * What would have been allowed.
   *
   * @return the limit as text
   */
  public final String limit() {
    return limit;
  }
}
