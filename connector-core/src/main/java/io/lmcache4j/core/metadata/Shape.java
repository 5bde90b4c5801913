/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

import java.util.Arrays;
import java.util.Objects;

/**
 * Dimensions of a tensor, outermost first, rows contiguous.
 *
 * <p>A shape is what somebody says, so every rank and every number can be said, those of a corrupt
 * header as well; {@link RemoteMetadataCodec} decides what may be written. Immutable.
 */
public final class Shape {

  private final long[] dims;

  private Shape(long[] dims) {
    this.dims = dims;
  }

  /**
   * Returns a shape.
   *
   * @param dims the dimensions, outermost first; copied
   * @return the shape; of no dimension for a scalar
   */
  public static Shape of(long... dims) {
    return new Shape(dims.clone());
  }

  /**
   * Parses dimensions with commas between them.
   *
   * @param text e.g. {@code 2,32,256,1024}
   * @return the shape
   * @throws IllegalArgumentException if the text is anything else
   */
  public static Shape parse(String text) {
    String[] fields = Objects.requireNonNull(text, "text").split(",", -1);
    long[] dims = new long[fields.length];
    for (int i = 0; i < dims.length; i++) {
      try {
        dims[i] = Long.parseLong(fields[i]);
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            "not a shape: \"" + text + "\" (expected e.g. 2,32,256,1024)", e);
      }
    }
    return new Shape(dims);
  }

  /**
   * How many dimensions there are.
   *
   * @return the rank; 0 for a scalar
   */
  public int rank() {
    return dims.length;
  }

  /**
   * One dimension.
   *
   * @param i from 0, the outermost, to {@link #rank()} - 1
   * @return its size
   * @throws IndexOutOfBoundsException if there is no such dimension
   */
  public long dim(int i) {
    return dims[i];
  }

  /**
   * How many elements a tensor of this shape has.
   *
   * @return the exact product of the dimensions; {@link Long#MAX_VALUE} if that is greater than a
   *     long can hold, which no payload can have; -1 if a dimension is negative; 1 for a scalar
   */
  public long elements() {
    return elements(dims.length);
  }

  /** The same of the outermost dimensions only. */
  long elements(int rank) {
    long product = 1;
    for (int i = 0; i < rank; i++) {
      if (dims[i] < 0) {
        return -1;
      }
    }
    for (int i = 0; i < rank; i++) {
      if (dims[i] == 0) {
        return 0;
      }
      product = saturatedProduct(product, dims[i]);
    }
    return product;
  }

  /** The rank when zeros at the end are not counted; 0 if all are zero. */
  int rankWithoutTrailingZeros() {
    int rank = dims.length;
    while (rank > 0 && dims[rank - 1] == 0) {
      rank--;
    }
    return rank;
  }

  static long saturatedProduct(long a, long b) {
    long low = a * b;
    return Math.multiplyHigh(a, b) == 0 && low >= 0 ? low : Long.MAX_VALUE;
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Shape other && Arrays.equals(dims, other.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** Returns the shape as Python prints a list: {@code [2, 32, 256, 1024]}. */
  @Override
  public String toString() {
    return Arrays.toString(dims);
  }
}
