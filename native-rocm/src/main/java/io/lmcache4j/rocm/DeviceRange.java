/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.util.Objects;

/**
 * Bytes of a {@link DeviceBuffer}: {@code rows} pieces of {@code width} bytes, whose starts are
 * {@code pitch} bytes apart. On the host the same bytes are dense, row after row.
 *
 * <p>One row is a plain range. Several are what a paged KV cache needs: the tokens of one block in
 * a tensor whose K and V are interleaved lie {@code pitch} apart.
 *
 * @param buffer the memory
 * @param offset the first byte, from the buffer's start
 * @param width bytes of a row, 1 or more
 * @param pitch bytes from the start of a row to that of the next, at least {@code width}
 * @param rows how many, 1 or more
 */
public record DeviceRange(DeviceBuffer buffer, long offset, long width, long pitch, long rows) {

  /**
   * Checks that the range is within the buffer.
   *
   * @throws IllegalArgumentException if a row is empty, rows overlap, or there is none
   * @throws IndexOutOfBoundsException if a byte of it is outside the buffer
   */
  public DeviceRange {
    Objects.requireNonNull(buffer, "buffer");
    if (width < 1 || rows < 1 || pitch < width) {
      throw new IllegalArgumentException(
          "no range: " + rows + " rows of " + width + " bytes, " + pitch + " apart");
    }
    if (rows > 1 && pitch > HipConstants.MAX_PITCH) {
      throw new IllegalArgumentException(
          "rows " + pitch + " bytes apart; the runtime's limit is " + HipConstants.MAX_PITCH);
    }
    long limit = buffer.bytes();
    // Written so that nothing can overflow: each term is compared before the next is formed.
    if (offset < 0
        || width > limit
        || offset > limit - width
        || (rows - 1) > (limit - width - offset) / pitch) {
      throw new IndexOutOfBoundsException(
          String.format(
              "%d rows of %d bytes, %d apart, from offset %d on are not within %s",
              rows, width, pitch, offset, buffer));
    }
  }

  /**
   * How many bytes there are in the rows.
   *
   * @return {@code width} times {@code rows}
   */
  public long bytes() {
    return width * rows;
  }

  /** Whether there are no gaps, so that one plain copy does. */
  boolean isDense() {
    return rows == 1 || pitch == width;
  }
}
