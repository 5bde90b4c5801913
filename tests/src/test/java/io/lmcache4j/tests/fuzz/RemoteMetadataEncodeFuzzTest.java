/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.MetadataException;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.lmcache4j.core.metadata.Shape;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/**
 * Any shapes with any dtypes, their numbers differing above all: whether they are written is
 * foretold by rules that are restated here, and what was written is read back.
 */
class RemoteMetadataEncodeFuzzTest {

  private static final String KEY = "model@1@0@ff@half";
  private static final int MAX_RANK = 6;
  private static final int MAX_GROUPS = 70;
  private static final MemoryFormat[] FORMATS = MemoryFormat.values();
  private static final DType[] DTYPES = DType.values();
  private static final long[] EDGES = {
    0,
    1,
    -1,
    Integer.MAX_VALUE,
    Integer.MAX_VALUE + 1L,
    Integer.MIN_VALUE,
    Integer.MIN_VALUE - 1L,
    1L << 32,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  @FuzzTest
  void writesWhatItCanReadBack(FuzzedDataProvider data) {
    LmcacheVersion version = data.pickValue(Codecs.VERSIONS.toArray(LmcacheVersion[]::new));
    boolean strict = data.consumeBoolean();
    RemoteMetadata metadata = metadata(data);
    boolean mayBeWritten = mayBeWritten(metadata, version, strict);

    RemoteMetadataCodec codec = RemoteMetadataCodec.of(version);
    RemoteMetadataCodec writer = strict ? codec : codec.lenient();
    ByteBuf out = Unpooled.buffer().writeByte(0x55);
    boolean written = write(writer, metadata, out);
    assertThat(written).as("%s, %s, strict %s", metadata, version, strict).isEqualTo(mayBeWritten);
    if (!written) {
      assertThat(out.writerIndex()).isEqualTo(1);
      return;
    }
    assertThat(out.writerIndex()).isEqualTo(1 + writer.encodedLength(metadata));
    RemoteMetadata read = codec.decode(KEY, out.skipBytes(1));
    assertThat(read).isEqualTo(asRead(metadata, version));
    if (strict && !losesZeros(metadata)) {
      assertThat(RemoteMetadataCodec.disagreement(read, read.length())).isEmpty();
    }
  }

  private static RemoteMetadata metadata(FuzzedDataProvider data) {
    MemoryFormat format = data.pickValue(FORMATS);
    int groups =
        data.consumeProbabilityFloat() < 0.9f
            ? data.consumeInt(0, 4)
            : data.consumeInt(0, MAX_GROUPS);
    List<Shape> shapes = new ArrayList<>();
    for (int i = 0; i < groups; i++) {
      long[] dims = new long[data.consumeInt(0, MAX_RANK)];
      for (int j = 0; j < dims.length; j++) {
        dims[j] = number(data);
      }
      shapes.add(Shape.of(dims));
    }
    List<DType> dtypes = new ArrayList<>();
    int missing = data.consumeInt(-2, groups);
    for (int i = 0; i < groups - missing; i++) {
      dtypes.add(data.pickValue(DTYPES));
    }
    RemoteMetadata metadata = RemoteMetadata.of(format, shapes, dtypes);
    return data.consumeBoolean()
        ? metadata
        : new RemoteMetadata(number(data), format, shapes, dtypes);
  }

  private static long number(FuzzedDataProvider data) {
    return switch (data.consumeInt(0, 5)) {
      case 0 -> EDGES[data.consumeInt(0, EDGES.length - 1)];
      case 1 -> data.consumeLong();
      case 2 -> data.consumeInt();
      default -> data.consumeInt(0, 300);
    };
  }

  private static boolean write(RemoteMetadataCodec codec, RemoteMetadata metadata, ByteBuf out) {
    try {
      codec.encode(KEY, metadata, out);
      return true;
    } catch (MetadataException e) {
      assertThat(e).hasMessageContaining(KEY);
      return false;
    }
  }

  private static boolean mayBeWritten(
      RemoteMetadata metadata, LmcacheVersion version, boolean strict) {
    int groups = metadata.shapes().size();
    if (groups < 1
        || groups > RemoteMetadataCodec.MAX_GROUPS
        || metadata.dtypes().size() > groups) {
      return false;
    }
    if (metadata.format().code(version).isEmpty() || !isInt(metadata.length(), strict)) {
      return false;
    }
    int minRank = version.isAtLeast(0, 4, 4) ? 0 : 4;
    BigInteger bytes = BigInteger.ZERO;
    for (int i = 0; i < groups; i++) {
      Shape shape = metadata.shapes().get(i);
      DType dtype = metadata.effectiveDtypes().get(i);
      if (shape.rank() < minRank || shape.rank() > 4 || dtype.wireCode().isEmpty()) {
        return false;
      }
      for (long dim : dims(shape)) {
        if (!isInt(dim, strict)) {
          return false;
        }
      }
      bytes = bytes.add(bytes(metadata.format(), shape, dtype));
    }
    return !strict || bytes.equals(BigInteger.valueOf(metadata.length()));
  }

  private static boolean isInt(long value, boolean strict) {
    return (int) value == value && (value >= 0 || !strict);
  }

  private static BigInteger bytes(MemoryFormat format, Shape shape, DType dtype) {
    List<Long> dims = dims(shape);
    long itemSize = dtype.itemSize();
    if (format == MemoryFormat.BINARY || format == MemoryFormat.BINARY_BUFFER) {
      dims = withoutZeros(dims);
      if (dims.isEmpty()) {
        return BigInteger.ZERO;
      }
      itemSize = dims.size() == 1 ? 1 : itemSize;
    }
    BigInteger product = BigInteger.valueOf(itemSize);
    for (long dim : dims) {
      product = product.multiply(BigInteger.valueOf(dim));
    }
    return product;
  }

  /** What a reader gets: dtypes filled in, shapes padded and, from 0.4.4 on, stripped. */
  private static RemoteMetadata asRead(RemoteMetadata metadata, LmcacheVersion version) {
    boolean strips = version.isAtLeast(0, 4, 4) && !metadata.format().isBinary();
    List<Shape> shapes = new ArrayList<>();
    for (Shape shape : metadata.shapes()) {
      List<Long> dims = dims(shape);
      while (dims.size() < 4) {
        dims.add(0L);
      }
      if (strips) {
        dims = withoutZeros(dims);
        if (dims.isEmpty()) {
          dims.add(0L);
        }
      }
      shapes.add(Shape.of(dims.stream().mapToLong(Long::longValue).toArray()));
    }
    return new RemoteMetadata(
        metadata.length(), metadata.format(), shapes, metadata.effectiveDtypes());
  }

  /** Whether padding says something else than the shape did; see {@link RemoteMetadataCodec}. */
  private static boolean losesZeros(RemoteMetadata metadata) {
    return !metadata.format().isBinary()
        && metadata.shapes().stream()
            .map(RemoteMetadataEncodeFuzzTest::dims)
            .anyMatch(dims -> dims.isEmpty() || dims.get(dims.size() - 1) == 0);
  }

  private static List<Long> dims(Shape shape) {
    List<Long> dims = new ArrayList<>();
    for (int i = 0; i < shape.rank(); i++) {
      dims.add(shape.dim(i));
    }
    return dims;
  }

  private static List<Long> withoutZeros(List<Long> dims) {
    int rank = dims.size();
    while (rank > 0 && dims.get(rank - 1) == 0) {
      rank--;
    }
    return new ArrayList<>(dims.subList(0, rank));
  }
}
