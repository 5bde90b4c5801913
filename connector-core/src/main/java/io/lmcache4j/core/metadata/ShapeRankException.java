/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

/** A shape with more dimensions than a header has room for, or other than four before 0.4.4. */
public final class ShapeRankException extends MetadataException {

  private static final long serialVersionUID = 1L;

  ShapeRankException(String key, int group, Shape shape, int min, int max) {
    super(
        key,
        group,
        "rank of shape " + shape,
        Integer.toString(shape.rank()),
        min == max ? "exactly " + max : min + " to " + max);
  }
}
