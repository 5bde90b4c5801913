/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.management.ThreadMXBean;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RemoteMetadataCodecTest {

  private static final String KEY = "m@1@0@a@half";
  private static final RemoteMetadataCodec CODEC = RemoteMetadataCodec.current();
  private static final Shape SMALL = Shape.of(2, 2, 16, 8);

  private static RemoteMetadata metadata(long length, Shape... shapes) {
    return new RemoteMetadata(
        length, MemoryFormat.KV_2LTD, List.of(shapes), List.of(DType.BFLOAT16));
  }

  private static ByteBuf encode(RemoteMetadataCodec codec, RemoteMetadata metadata) {
    ByteBuf out = Unpooled.buffer();
    codec.encode(KEY, metadata, out);
    return out;
  }

  /** Encodes what must be refused, and sees to it that not a byte was written. */
  private static <E extends MetadataException> E refused(
      Class<E> type, RemoteMetadataCodec codec, RemoteMetadata metadata) {
    ByteBuf out = Unpooled.buffer().writeByte(1);
    E e = catchThrowableOfType(type, () -> codec.encode(KEY, metadata, out));
    assertThat(e).isNotNull();
    assertThat(e.key()).isEqualTo(KEY);
    assertThat(out.writerIndex()).isEqualTo(1);
    assertThatThrownBy(() -> codec.validate(KEY, metadata)).isInstanceOf(type);
    return e;
  }

  @Test
  void encodingMakesNoGarbage() {
    RemoteMetadata one = RemoteMetadata.of(MemoryFormat.KV_2LTD, SMALL, DType.BFLOAT16);
    RemoteMetadata four =
        RemoteMetadata.of(
            MemoryFormat.KV_T2D,
            List.of(SMALL, Shape.of(16, 2, 8), Shape.of(16, 8), Shape.of(5)),
            List.of(DType.FLOAT64, DType.UINT8));
    RemoteMetadata bytes =
        RemoteMetadata.of(MemoryFormat.BINARY_BUFFER, Shape.of(14, 0, 0, 0), DType.NONE);
    ByteBuf out = Unpooled.wrappedBuffer(new byte[88]);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    int rounds = 100_000;
    encodeAll(2_000, out, one, four, bytes); // loads classes
    long before = threads.getCurrentThreadAllocatedBytes();
    encodeAll(rounds, out, one, four, bytes);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;

    // An object has 16 bytes or more; what is left over is the measurement's own.
    assertThat(allocated).isLessThan(rounds);
  }

  private static void encodeAll(
      int rounds, ByteBuf out, RemoteMetadata a, RemoteMetadata b, RemoteMetadata c) {
    for (int i = 0; i < rounds; i++) {
      CODEC.encode(KEY, a, out.clear());
      CODEC.encode(KEY, b, out.clear());
      CODEC.encode(KEY, c, out.clear());
    }
  }

  @Test
  void whatIsWrittenIsReadBackButForZerosAtTheEndOfAShape() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int round = 0; round < 20_000; round++) {
      RemoteMetadata metadata = random(random);
      for (RemoteMetadataCodec codec : List.of(CODEC.lenient(), CODEC)) {
        if (codec == CODEC && metadata.payloadBytes() > Integer.MAX_VALUE) {
          refused(IntRangeException.class, codec, metadata);
          continue;
        }
        RemoteMetadata said = codec == CODEC ? metadata : withLength(metadata, random.nextInt());
        ByteBuf out = encode(codec, said);
        assertThat(out.readableBytes()).isEqualTo(codec.encodedLength(said));
        assertThat(codec.decode(KEY, out))
            .as("seed %d, round %d, %s", seed, round, said)
            .isEqualTo(padded(said));
      }
    }
  }

  private static RemoteMetadata random(Random random) {
    MemoryFormat[] formats = MemoryFormat.values();
    List<Shape> shapes = new ArrayList<>();
    List<DType> dtypes = new ArrayList<>();
    for (int group = random.nextInt(6); group >= 0; group--) {
      long[] dims = new long[random.nextInt(RemoteMetadataCodec.DIMS + 1)];
      for (int i = 0; i < dims.length; i++) {
        dims[i] = random.nextInt(4) * (long) random.nextInt(1 << random.nextInt(10));
      }
      shapes.add(Shape.of(dims));
    }
    for (int i = random.nextInt(shapes.size() + 1); i > 0; i--) {
      DType dtype = DType.byWireCode(random.nextInt(9));
      dtypes.add(dtype == null ? DType.NONE : dtype);
    }
    return RemoteMetadata.of(formats[random.nextInt(formats.length)], shapes, dtypes);
  }

  private static RemoteMetadata withLength(RemoteMetadata m, long length) {
    return new RemoteMetadata(length, m.format(), m.shapes(), m.dtypes());
  }

  private static RemoteMetadata padded(RemoteMetadata m) {
    List<Shape> shapes = new ArrayList<>();
    for (Shape shape : m.shapes()) {
      long[] dims = new long[RemoteMetadataCodec.DIMS];
      for (int i = 0; i < shape.rank(); i++) {
        dims[i] = shape.dim(i);
      }
      int rank = m.format().isBinary() ? dims.length : Math.max(1, lastNonZero(dims) + 1);
      shapes.add(Shape.of(Arrays.copyOf(dims, rank)));
    }
    return new RemoteMetadata(m.length(), m.format(), shapes, m.effectiveDtypes());
  }

  private static int lastNonZero(long[] dims) {
    int i = dims.length - 1;
    while (i >= 0 && dims[i] == 0) {
      i--;
    }
    return i;
  }

  @Test
  void aHeaderCutAnywhereIsRefusedOrHasTheGroupsThatAreWhole() {
    RemoteMetadata four = metadata(4096, SMALL, SMALL, SMALL, SMALL);
    ByteBuf whole = encode(CODEC, four);
    assertThat(whole.readableBytes()).isEqualTo(88);
    for (int bytes = 0; bytes <= 88; bytes++) {
      ByteBuf cut = Unpooled.copiedBuffer(whole.slice(0, bytes));
      if (bytes < 28) {
        assertThatThrownBy(() -> CODEC.decode(KEY, cut))
            .isInstanceOf(TruncatedMetadataException.class)
            .hasMessage(
                "metadata of \"%s\": header length in bytes is %d, allowed: 28 or more",
                KEY, bytes);
      } else {
        RemoteMetadata read = CODEC.decode(KEY, cut);
        assertThat(read.length()).isEqualTo(4096);
        assertThat(read.shapes()).hasSize((bytes - 8) / 20).containsOnly(SMALL);
        assertThat(RemoteMetadataCodec.disagreement(read, 4096).isEmpty()).isEqualTo(bytes == 88);
      }
    }
  }

  @Test
  void readingStartsAtTheReaderIndexAndMovesNothing() {
    ByteBuf in = Unpooled.buffer().writeByte(9);
    CODEC.encode(KEY, metadata(1024, SMALL), in);
    in.readByte();

    assertThat(CODEC.decode(KEY, in)).isEqualTo(metadata(1024, SMALL));
    assertThat(in.readerIndex()).isEqualTo(1);
    assertThat(in.refCnt()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {65, 100, 500_000})
  void aStrangersLengthBuildsNoList(int groups) {
    ByteBuf in = Unpooled.buffer().writeZero(8 + groups * 20);
    assertThatThrownBy(() -> CODEC.decode(KEY, in))
        .isInstanceOf(GroupCountException.class)
        .hasMessage("metadata of \"%s\": number of groups is %d, allowed: 1 to 64", KEY, groups);
  }

  @Test
  void sixtyFourGroupsAreWrittenAndRead() {
    RemoteMetadata most =
        new RemoteMetadata(
            64, MemoryFormat.KV_2LTD, Collections.nCopies(64, Shape.of(1)), List.of(DType.UINT8));
    assertThat(CODEC.decode(KEY, encode(CODEC, most)).shapes()).isEqualTo(most.shapes());
    RemoteMetadata more =
        new RemoteMetadata(
            65, MemoryFormat.KV_2LTD, Collections.nCopies(65, Shape.of(1)), List.of(DType.UINT8));
    assertThat(refused(GroupCountException.class, CODEC, more).value()).isEqualTo("65");
  }

  @Test
  void moreDtypesThanShapesAreRefused() {
    RemoteMetadata m =
        new RemoteMetadata(
            1024, MemoryFormat.KV_2LTD, List.of(SMALL), List.of(DType.BFLOAT16, DType.UINT8));
    for (RemoteMetadataCodec codec : List.of(CODEC, CODEC.lenient())) {
      DtypeCountException e = refused(DtypeCountException.class, codec, m);
      assertThat(e)
          .hasMessage(
              "metadata of \"%s\": number of dtypes is 2, allowed: at most 1, one for each shape",
              KEY);
      assertThat(e.group()).isEqualTo(MetadataException.NO_GROUP);
      assertThat(e.value()).isEqualTo("2");
      assertThat(e.limit()).startsWith("at most 1");
    }
  }

  @Test
  void noShapeAtAllIsRefused() {
    assertThat(refused(GroupCountException.class, CODEC, metadata0()))
        .hasMessage("metadata of \"%s\": number of groups is 0, allowed: 1 to 64", KEY);
  }

  private static RemoteMetadata metadata0() {
    return new RemoteMetadata(0, MemoryFormat.KV_2LTD, List.of(), List.of());
  }

  @Test
  void aRankThatTheReleaseCannotSayIsRefused() {
    ShapeRankException five =
        refused(
            ShapeRankException.class, CODEC.lenient(), metadata(0, SMALL, Shape.of(1, 2, 3, 4, 5)));
    assertThat(five)
        .hasMessage(
            "metadata of \"%s\", group 1: rank of shape [1, 2, 3, 4, 5] is 5, allowed: 0 to 4",
            KEY);
    assertThat(five.group()).isEqualTo(1);

    RemoteMetadataCodec old = RemoteMetadataCodec.of(LmcacheVersion.of(0, 4, 3));
    assertThat(refused(ShapeRankException.class, old, metadata(512, Shape.of(16, 2, 8))))
        .hasMessageEndingWith("group 0: rank of shape [16, 2, 8] is 3, allowed: exactly 4");
  }

  @Test
  void aDtypeWithoutANumberIsRefused() {
    RemoteMetadata m =
        new RemoteMetadata(
            1536, MemoryFormat.KV_2LTD, List.of(SMALL, SMALL), List.of(DType.BFLOAT16, DType.INT8));
    assertThat(refused(UnsupportedDtypeException.class, CODEC, m))
        .hasMessage(
            "metadata of \"%s\", group 1: dtype is int8, allowed: none=0, float16=2, bfloat16=3,"
                + " float32=4, float64=5, uint8=6, float8_e4m3fn=7, float8_e5m2=8",
            KEY);
  }

  @Test
  void aFormatThatTheReleaseDoesNotHaveIsRefused() {
    RemoteMetadataCodec old = RemoteMetadataCodec.of(LmcacheVersion.of(0, 3, 0));
    RemoteMetadata m = RemoteMetadata.of(MemoryFormat.KV_2TD, SMALL, DType.BFLOAT16);
    assertThat(refused(UnsupportedFormatException.class, old, m))
        .hasMessageContaining(
            "memory format is KV_2TD, allowed: those of LMCache 0.3.0, {UNDEFINED=0")
        .hasMessageEndingWith("BINARY=3, BINARY_BUFFER=4, KV_MLA_FMT=5}");
  }

  @Test
  void aNumberOutsideItsFieldIsRefused() {
    long over = Integer.MAX_VALUE + 1L;
    assertThat(refused(IntRangeException.class, CODEC, metadata(over, SMALL)))
        .hasMessage("metadata of \"%s\": length is 2147483648, allowed: 0 to 2147483647", KEY);
    assertThat(refused(IntRangeException.class, CODEC, metadata(0, SMALL, Shape.of(1, over))))
        .hasMessage(
            "metadata of \"%s\", group 1: dimension 1 is 2147483648, allowed: 0 to 2147483647",
            KEY);
    assertThat(refused(IntRangeException.class, CODEC.lenient(), metadata(-over - 1, SMALL)))
        .hasMessageContaining("length is -2147483649, allowed: -2147483648 to 2147483647");
  }

  @Test
  void aNegativeNumberIsWrittenByALenientCodecOnly() {
    RemoteMetadata length = metadata(-1, SMALL);
    RemoteMetadata dim = metadata(0, Shape.of(2, -1));
    assertThat(refused(IntRangeException.class, CODEC, length).value()).isEqualTo("-1");
    assertThat(refused(IntRangeException.class, CODEC, dim).group()).isZero();
    RemoteMetadataCodec lenient = CODEC.lenient();
    assertThat(CODEC.decode(KEY, encode(lenient, length))).isEqualTo(length);
    assertThat(CODEC.decode(KEY, encode(lenient, dim))).isEqualTo(dim);
  }

  @Test
  void aLengthThatIsNotThatOfTheShapesIsWrittenByALenientCodecOnly() {
    assertThat(refused(LengthMismatchException.class, CODEC, metadata(1023, SMALL)))
        .hasMessage(
            "metadata of \"%s\": length is 1023, allowed: 1024, the bytes of its shapes and dtypes",
            KEY);
    long max = Integer.MAX_VALUE;
    RemoteMetadata huge = metadata(max, Shape.of(max, max, max, max));
    assertThat(refused(LengthMismatchException.class, CODEC, huge).limit())
        .startsWith("9223372036854775807 or more");
    assertThat(CODEC.decode(KEY, encode(CODEC.lenient(), huge))).isEqualTo(huge);
  }

  @Test
  void unknownNumbersAreRefused() {
    ByteBuf dtype = encode(CODEC, metadata(2048, SMALL, SMALL)).setIntLE(28, 9);
    UnknownCodeException e =
        catchThrowableOfType(UnknownCodeException.class, () -> CODEC.decode(KEY, dtype));
    assertThat(e)
        .hasMessageStartingWith(
            "metadata of \"%s\", group 1: number of the dtype is 9, allowed: none=0", KEY);
    assertThat(e.group()).isEqualTo(1);
    ByteBuf format = encode(CODEC, metadata(1024, SMALL)).setIntLE(4, -1);
    assertThatThrownBy(() -> CODEC.decode(KEY, format))
        .isInstanceOf(UnknownCodeException.class)
        .hasMessageContaining("number of the memory format is -1, allowed: those of LMCache 0.5.6");
  }

  @Test
  void aHeaderIsBelievedOnlyIfItAgreesWithItselfAndThePayload() {
    assertThat(RemoteMetadataCodec.disagreement(metadata(1024, SMALL), 1024)).isEmpty();
    assertThat(RemoteMetadataCodec.disagreement(metadata(1024, SMALL), 1023))
        .hasValue("the header's length is 1024 bytes, the payload has 1023");
    assertThat(RemoteMetadataCodec.disagreement(metadata(512, SMALL), 512))
        .hasValue("the header's length is 512 bytes, its shapes and dtypes make 1024");
    assertThat(RemoteMetadataCodec.disagreement(metadata(-1, SMALL), -1))
        .hasValue("the header's length is negative: -1");
    assertThat(RemoteMetadataCodec.disagreement(metadata(4, SMALL, Shape.of(-1, -2)), 4))
        .hasValue("group 1 has a negative dimension: [-1, -2]");
    long max = Integer.MAX_VALUE;
    assertThat(RemoteMetadataCodec.disagreement(metadata(4, Shape.of(max, max, max, max)), 4))
        .hasValueSatisfying(reason -> assertThat(reason).endsWith("or more"));
    // Two groups of that size wrap to -2.
    Shape huge = Shape.of(max, max, max, max);
    assertThat(metadata(4, huge, huge).payloadBytes()).isEqualTo(Long.MAX_VALUE);
    // 65,536 to the fourth wraps to 0 in 64 bits.
    assertThat(
            RemoteMetadataCodec.disagreement(metadata(0, Shape.of(65536, 65536, 65536, 65536)), 0))
        .isPresent();
  }

  @Test
  void bytesOfABinaryFormatAreItsFirstDimension() {
    for (DType dtype : List.of(DType.NONE, DType.BFLOAT16, DType.FLOAT64)) {
      assertThat(bytes(Shape.of(14, 0, 0, 0), dtype)).isEqualTo(14);
      assertThat(bytes(Shape.of(14), dtype)).isEqualTo(14);
      assertThat(bytes(Shape.of(0, 0, 0, 0), dtype)).isZero();
      assertThat(bytes(Shape.of(), dtype)).isZero();
    }
    assertThat(bytes(Shape.of(2, 3, 4, 5), DType.BFLOAT16)).isEqualTo(240);
    assertThat(bytes(Shape.of(16, 2, 8), DType.BFLOAT16)).isEqualTo(512);
    assertThat(bytes(Shape.of(16, 2, 8, 0), DType.BFLOAT16)).isEqualTo(512);
    assertThat(bytes(Shape.of(0, 0, 0, 5), DType.BFLOAT16)).isZero();
  }

  private static long bytes(Shape shape, DType dtype) {
    return RemoteMetadata.of(MemoryFormat.BINARY, shape, dtype).length();
  }

  @Test
  void listsAreCopied() {
    List<Shape> shapes = new ArrayList<>(List.of(SMALL));
    List<DType> dtypes = new ArrayList<>();
    RemoteMetadata m = RemoteMetadata.of(MemoryFormat.KV_2LTD, shapes, dtypes);
    shapes.clear();
    dtypes.add(DType.UINT8);

    assertThat(m.groups()).isEqualTo(1);
    assertThat(m.dtypes()).isEmpty();
    assertThat(m.effectiveDtypes()).containsExactly(DType.BFLOAT16);
    assertThat(m.length()).isEqualTo(1024);
  }
}
