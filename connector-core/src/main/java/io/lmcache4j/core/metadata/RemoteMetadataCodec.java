/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Writes and reads the header of a chunk, the value of {@code <key>metadata} ({@code
 * RemoteMetadata.serialize} and {@code deserialize}, {@code lmcache/v1/protocol.py}, LMCache
 * 0.5.6).
 *
 * <pre>
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  0|                     Length of the payload                     |
 *   +---------------------------------------------------------------+
 *  4|                   Number of the MemoryFormat                  |
 *   +===============================================================+
 *  8|                      Number of the DType                      |   group 0
 *   +---------------------------------------------------------------+
 * 12|                          Dimension 0                          |
 *   +---------------------------------------------------------------+
 * 16|                          Dimension 1                          |
 *   +---------------------------------------------------------------+
 * 20|                          Dimension 2                          |
 *   +---------------------------------------------------------------+
 * 24|                          Dimension 3                          |
 *   +===============================================================+
 * 28|              the same five fields for each further            |   group 1 …
 *  ...                                                             ...
 *   +---------------------------------------------------------------+
 * </pre>
 *
 * <p>Every field is a signed 32-bit integer, little-endian (LMCache: in the order of the host,
 * which is that one on each host it runs on). The number of groups is not written; it follows from
 * the length of the header. Bytes at the end that make no whole group are ignored, as LMCache does.
 *
 * <p><b>Shapes.</b> Up to 0.4.3 a shape has exactly four dimensions. From 0.4.4 on it has four at
 * most and is padded with zeros; a reader strips the zeros at the end but keeps one dimension, and
 * strips none in a binary format. That loses zeros which were meant: {@code []} comes back as
 * {@code [0]}, {@code [2, 0, 0]} as {@code [2]}. No chunk has such a shape; one that had it would
 * be written as LMCache writes it, and {@link #disagreement} would refuse it on the way back.
 *
 * <p><b>Checks.</b> Writing is strict: {@link #validate} refuses what would mislead a reader,
 * before the first byte is written. Reading is as lenient as LMCache about numbers, so that a
 * header can be looked at; whether it may be believed is the question {@link #disagreement}
 * answers.
 *
 * <p>Immutable; safe for use by many threads.
 */
public final class RemoteMetadataCodec {

  /** Offset of the payload's length in bytes. */
  public static final int LENGTH_OFFSET = 0;

  /** Offset of the memory format's number. */
  public static final int FORMAT_OFFSET = 4;

  /** Offset of the first group, and length of a header without groups. */
  public static final int GROUPS_OFFSET = 8;

  /** Offset of the dtype's number in a group. */
  public static final int DTYPE_OFFSET = 0;

  /** Offset of the first dimension in a group. */
  public static final int DIMS_OFFSET = 4;

  /** Dimensions in a group. */
  public static final int DIMS = 4;

  /** Bytes of one group. */
  public static final int GROUP_LENGTH = DIMS_OFFSET + DIMS * Integer.BYTES;

  /** Bytes of the shortest header, that of one group. */
  public static final int MIN_LENGTH = GROUPS_OFFSET + GROUP_LENGTH;

  /**
   * Most groups of a header. LMCache has no limit of its own: it makes one group for each kind of
   * layer that a model has, and four is the most that was seen. The limit keeps a reader from
   * building lists as long as a stranger's value.
   */
  public static final int MAX_GROUPS = 64;

  private static final int UNKNOWN = -1;
  private static final Map<DType, Integer> DTYPE_CODES = dtypeCodes();

  private static final RemoteMetadataCodec CURRENT = of(LmcacheVersion.CURRENT);

  private final LmcacheVersion version;
  private final boolean strict;
  private final int minRank;
  private final Map<MemoryFormat, Integer> formatCodes;

  private RemoteMetadataCodec(LmcacheVersion version, boolean strict) {
    this.version = version;
    this.strict = strict;
    this.minRank = version.isAtLeast(0, 4, 4) ? 0 : DIMS;
    this.formatCodes = new EnumMap<>(MemoryFormat.class);
    for (MemoryFormat format : MemoryFormat.values()) {
      format.code(version).ifPresent(code -> formatCodes.put(format, code));
    }
  }

  /**
   * The codec of {@link LmcacheVersion#CURRENT}, whose headers 0.4.4 and newer read and write.
   *
   * @return the codec
   */
  public static RemoteMetadataCodec current() {
    return CURRENT;
  }

  /**
   * Returns the codec of a release.
   *
   * @param version the release
   * @return the codec
   */
  public static RemoteMetadataCodec of(LmcacheVersion version) {
    return new RemoteMetadataCodec(version, true);
  }

  /**
   * Returns the same codec without the checks that LMCache itself lacks: it writes negative
   * numbers, and lengths that are not those of the shapes. Whatever cannot be said in a header is
   * refused all the same. It is meant for comparing bytes with LMCache, not for writing to a cache.
   *
   * @return the lenient codec
   */
  public RemoteMetadataCodec lenient() {
    return new RemoteMetadataCodec(version, false);
  }

  /**
   * How long a header is.
   *
   * @param metadata what it says
   * @return 28, 48, 68, 88 … bytes for 1, 2, 3, 4 … groups
   */
  public int encodedLength(RemoteMetadata metadata) {
    return GROUPS_OFFSET + metadata.groups() * GROUP_LENGTH;
  }

  /**
   * Checks that a header can be written and, unless this codec is {@link #lenient}, that it is true
   * to itself: no number is negative, and the length is that of the shapes and dtypes.
   *
   * @param key the key, for the message
   * @param metadata what the header is to say
   * @throws MetadataException if it is refused; the subclass tells why
   */
  public void validate(String key, RemoteMetadata metadata) {
    int groups = metadata.groups();
    if (metadata.dtypes().size() > groups) {
      throw new DtypeCountException(key, metadata.dtypes().size(), groups);
    }
    if (groups == 0 || groups > MAX_GROUPS) {
      throw new GroupCountException(key, groups);
    }
    if (formatCode(metadata) == UNKNOWN) {
      throw new UnsupportedFormatException(key, metadata.format(), formatsKnown());
    }
    long min = strict ? 0 : Integer.MIN_VALUE;
    if (isOutside(metadata.length(), min)) {
      throw new IntRangeException(
          key, MetadataException.NO_GROUP, "length", metadata.length(), min);
    }
    for (int group = 0; group < groups; group++) {
      validateGroup(key, group, metadata.shapes().get(group), metadata.dtype(group), min);
    }
    if (strict && metadata.length() != metadata.payloadBytes()) {
      throw new LengthMismatchException(
          key, metadata.length(), metadata.payloadBytes(), "its shapes and dtypes");
    }
  }

  /**
   * Checks that a payload is as long as its header says.
   *
   * @param key the key, for the message
   * @param metadata what the header says
   * @param payloadLength bytes of the payload
   * @throws LengthMismatchException if it is not
   */
  public static void validatePayload(String key, RemoteMetadata metadata, long payloadLength) {
    if (metadata.length() != payloadLength) {
      throw new LengthMismatchException(key, metadata.length(), payloadLength, "the payload");
    }
  }

  private void validateGroup(String key, int group, Shape shape, DType dtype, long min) {
    if (shape.rank() < minRank || shape.rank() > DIMS) {
      throw new ShapeRankException(key, group, shape, minRank, DIMS);
    }
    if (dtypeCode(dtype) == UNKNOWN) {
      throw new UnsupportedDtypeException(key, group, dtype, dtypesKnown());
    }
    for (int i = 0; i < shape.rank(); i++) {
      if (isOutside(shape.dim(i), min)) {
        throw new IntRangeException(key, group, "dimension " + i, shape.dim(i), min);
      }
    }
  }

  private static boolean isOutside(long value, long min) {
    return value < min || value > Integer.MAX_VALUE;
  }

  /**
   * Writes a header at the buffer's writer index and moves that by {@link #encodedLength}. Missing
   * dtypes are filled in, see {@link RemoteMetadata#dtype}. Makes no garbage.
   *
   * @param key the key, for the message
   * @param metadata what the header says
   * @param out where it goes; not released
   * @throws MetadataException if {@link #validate} refuses it; then nothing was written
   * @throws IndexOutOfBoundsException if the buffer cannot grow that much; then nothing was written
   */
  public void encode(String key, RemoteMetadata metadata, ByteBuf out) {
    validate(key, metadata);
    out.ensureWritable(encodedLength(metadata));
    out.writeIntLE((int) metadata.length());
    out.writeIntLE(formatCode(metadata));
    for (int group = 0; group < metadata.groups(); group++) {
      Shape shape = metadata.shapes().get(group);
      out.writeIntLE(dtypeCode(metadata.dtype(group)));
      for (int i = 0; i < DIMS; i++) {
        out.writeIntLE(i < shape.rank() ? (int) shape.dim(i) : 0);
      }
    }
  }

  /**
   * Reads the header that is the buffer's readable bytes. Their number tells how many groups there
   * are.
   *
   * @param key the key, for the message
   * @param in the header; neither released nor moved
   * @return what it says, not checked any further; see {@link #disagreement}
   * @throws TruncatedMetadataException if there are fewer than {@link #MIN_LENGTH} bytes
   * @throws GroupCountException if there are more than {@link #MAX_GROUPS} groups
   * @throws UnknownCodeException if a number stands for no memory format or dtype
   */
  public RemoteMetadata decode(String key, ByteBuf in) {
    int bytes = in.readableBytes();
    if (bytes < MIN_LENGTH) {
      throw new TruncatedMetadataException(key, bytes);
    }
    int groups = (bytes - GROUPS_OFFSET) / GROUP_LENGTH;
    if (groups > MAX_GROUPS) {
      throw new GroupCountException(key, groups);
    }
    int start = in.readerIndex();
    MemoryFormat format = decodeFormat(key, in.getIntLE(start + FORMAT_OFFSET));
    List<Shape> shapes = new ArrayList<>(groups);
    List<DType> dtypes = new ArrayList<>(groups);
    for (int group = 0; group < groups; group++) {
      int at = start + GROUPS_OFFSET + group * GROUP_LENGTH;
      dtypes.add(decodeDtype(key, group, in.getIntLE(at + DTYPE_OFFSET)));
      shapes.add(decodeShape(format, in, at + DIMS_OFFSET));
    }
    return new RemoteMetadata(in.getIntLE(start + LENGTH_OFFSET), format, shapes, dtypes);
  }

  private MemoryFormat decodeFormat(String key, int code) {
    MemoryFormat format = MemoryFormat.byCode(code, version);
    if (format == null) {
      throw new UnknownCodeException(
          key, MetadataException.NO_GROUP, "number of the memory format", code, formatsKnown());
    }
    return format;
  }

  private static DType decodeDtype(String key, int group, int code) {
    DType dtype = DType.byWireCode(code);
    if (dtype == null) {
      throw new UnknownCodeException(key, group, "number of the dtype", code, dtypesKnown());
    }
    return dtype;
  }

  private Shape decodeShape(MemoryFormat format, ByteBuf in, int offset) {
    long[] dims = new long[DIMS];
    for (int i = 0; i < DIMS; i++) {
      dims[i] = in.getIntLE(offset + i * Integer.BYTES);
    }
    Shape shape = Shape.of(dims);
    if (minRank == DIMS || format.isBinary()) {
      return shape;
    }
    return Shape.of(Arrays.copyOf(dims, Math.max(1, shape.rankWithoutTrailingZeros())));
  }

  /**
   * Tells why a header is not to be believed: its length, its shapes and dtypes, and the length of
   * the payload must agree, and none may be negative. LMCache compares the payload with the length
   * only, and hands out stale memory when the shape is larger.
   *
   * @param metadata what the header says
   * @param payloadLength bytes of the payload, e.g. what {@code STRLEN} says
   * @return the reason, or empty if all agree
   */
  public static Optional<String> disagreement(RemoteMetadata metadata, long payloadLength) {
    if (metadata.length() < 0) {
      return Optional.of("the header's length is negative: " + metadata.length());
    }
    for (int group = 0; group < metadata.groups(); group++) {
      if (metadata.groupBytes(group) < 0) {
        return Optional.of(
            "group " + group + " has a negative dimension: " + metadata.shapes().get(group));
      }
    }
    long described = metadata.payloadBytes();
    if (metadata.length() != described) {
      return Optional.of(
          "the header's length is "
              + metadata.length()
              + " bytes, its shapes and dtypes make "
              + described
              + (described == Long.MAX_VALUE ? " or more" : ""));
    }
    if (metadata.length() != payloadLength) {
      return Optional.of(
          "the header's length is "
              + metadata.length()
              + " bytes, the payload has "
              + payloadLength);
    }
    return Optional.empty();
  }

  private static int code(@Nullable Integer code) {
    return code == null ? UNKNOWN : code;
  }

  private int formatCode(RemoteMetadata metadata) {
    return code(formatCodes.get(metadata.format()));
  }

  private static int dtypeCode(DType dtype) {
    return code(DTYPE_CODES.get(dtype));
  }

  private static Map<DType, Integer> dtypeCodes() {
    Map<DType, Integer> codes = new EnumMap<>(DType.class);
    for (DType dtype : DType.values()) {
      dtype.wireCode().ifPresent(code -> codes.put(dtype, code));
    }
    return codes;
  }

  private String formatsKnown() {
    return "those of LMCache " + version + ", " + formatCodes;
  }

  private static String dtypesKnown() {
    StringJoiner known = new StringJoiner(", ");
    DTYPE_CODES.forEach((dtype, code) -> known.add(dtype.torchName() + "=" + code));
    return known.toString();
  }
}
