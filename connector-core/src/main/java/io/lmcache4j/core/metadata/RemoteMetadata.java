/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

import io.lmcache4j.core.DType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;

/**
 * What a header says of a payload ({@code RemoteMetadata}, {@code lmcache/v1/protocol.py}, LMCache
 * 0.5.6): its length, its layout, and the shape and dtype of each group of layers in it. The
 * groups' tensors follow each other in the payload without padding.
 *
 * <p>This is what the producer said, copied and not checked: {@link RemoteMetadataCodec#validate}
 * tells whether it can be written, {@link RemoteMetadataCodec#disagreement} whether it can be true.
 * Immutable; safe for use by many threads.
 *
 * @param length bytes of the payload
 * @param format its layout
 * @param shapes one for each group
 * @param dtypes one for each group, or fewer: see {@link #dtype}
 */
public record RemoteMetadata(
    long length, MemoryFormat format, List<Shape> shapes, List<DType> dtypes) {

  public RemoteMetadata {
    Objects.requireNonNull(format, "format");
    shapes = List.copyOf(shapes);
    dtypes = List.copyOf(dtypes);
  }

  /**
   * Describes a payload of one group, whose length follows from its shape and dtype.
   *
   * @param format the layout
   * @param shape the shape
   * @param dtype the dtype; {@link DType#NONE} for opaque bytes
   * @return the metadata
   */
  public static RemoteMetadata of(MemoryFormat format, Shape shape, DType dtype) {
    return of(format, List.of(shape), List.of(dtype));
  }

  /**
   * Describes a payload of several groups, whose length follows from their shapes and dtypes.
   *
   * @param format the layout
   * @param shapes one for each group
   * @param dtypes one for each group, or fewer: see {@link #dtype}
   * @return the metadata; its length is {@link #payloadBytes()}
   */
  public static RemoteMetadata of(MemoryFormat format, List<Shape> shapes, List<DType> dtypes) {
    RemoteMetadata unmeasured = new RemoteMetadata(0, format, shapes, dtypes);
    return new RemoteMetadata(
        unmeasured.payloadBytes(), format, unmeasured.shapes, unmeasured.dtypes);
  }

  /**
   * How many groups there are.
   *
   * @return the number of shapes
   */
  public int groups() {
    return shapes.size();
  }

  /**
   * The dtype of a group. Where the producer left dtypes out, the first one stands for those that
   * are missing, and bfloat16 when there is none at all, as LMCache pull request 2412 proposed.
   *
   * @param group from 0 to {@link #groups()} - 1
   * @return the dtype that is written
   */
  public DType dtype(int group) {
    if (group < dtypes.size()) {
      return dtypes.get(group);
    }
    return dtypes.isEmpty() ? DType.BFLOAT16 : dtypes.get(0);
  }

  /**
   * The dtypes with those that are missing filled in, see {@link #dtype}.
   *
   * @return an unmodifiable list, one for each group; more if the producer gave more
   */
  public List<DType> effectiveDtypes() {
    if (dtypes.size() >= shapes.size()) {
      return dtypes;
    }
    List<DType> filled = new ArrayList<>(shapes.size());
    for (int group = 0; group < shapes.size(); group++) {
      filled.add(dtype(group));
    }
    return Collections.unmodifiableList(filled);
  }

  /**
   * How many bytes a group's shape and dtype describe: the product of its dimensions times the size
   * of an element.
   *
   * <p>In a binary format zeros at the end of a shape are padding, since LMCache never strips them
   * there; and if one dimension is left it counts bytes, whatever the dtype. So {@code [14, 0, 0,
   * 0]} and {@code [14]} are 14 bytes with any dtype.
   *
   * @param group from 0 to {@link #groups()} - 1
   * @return bytes; {@link Long#MAX_VALUE} for that many or more; -1 if a dimension is negative
   */
  public long groupBytes(int group) {
    Shape shape = shapes.get(group);
    int rank = shape.rank();
    int itemSize = dtype(group).itemSize();
    if (format.isBinary()) {
      rank = shape.rankWithoutTrailingZeros();
      if (rank == 0) {
        return 0;
      }
      itemSize = rank == 1 ? 1 : itemSize;
    }
    long elements = shape.elements(rank);
    return elements < 0 ? -1 : Shape.saturatedProduct(elements, itemSize);
  }

  /**
   * How many bytes the shapes and dtypes describe, which should be {@link #length()}.
   *
   * @return the sum of {@link #groupBytes}; {@link Long#MAX_VALUE} for that many or more; -1 if a
   *     dimension is negative
   */
  public long payloadBytes() {
    long total = 0;
    for (int group = 0; group < shapes.size(); group++) {
      long bytes = groupBytes(group);
      if (bytes < 0) {
        return -1;
      }
      total = total > Long.MAX_VALUE - bytes ? Long.MAX_VALUE : total + bytes;
    }
    return total;
  }
}
