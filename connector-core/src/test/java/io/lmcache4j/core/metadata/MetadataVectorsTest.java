/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.VectorFile;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Headers that eighteen releases of LMCache wrote, read and refused. */
class MetadataVectorsTest {

  private static final String KEY = "m@1@0@a@half";

  private static Map<LmcacheVersion, JsonNode> files() {
    Map<LmcacheVersion, JsonNode> files = VectorFile.versions("metadata_by_version");
    files.put(LmcacheVersion.CURRENT, VectorFile.read("metadata"));
    return files;
  }

  /** One test for each row of a section, in a container for each release. */
  private static Stream<DynamicContainer> eachRow(String section, RowTest test) {
    return files().entrySet().stream()
        .filter(file -> file.getValue().has(section))
        .map(
            file -> {
              List<DynamicTest> rows = new ArrayList<>();
              for (JsonNode row : file.getValue().get(section)) {
                rows.add(
                    dynamicTest(
                        row.get("name").textValue(),
                        () -> test.run(RemoteMetadataCodec.of(file.getKey()), row)));
              }
              return dynamicContainer(file.getKey().toString(), rows);
            });
  }

  private interface RowTest {
    void run(RemoteMetadataCodec codec, JsonNode row);
  }

  @TestFactory
  Stream<DynamicContainer> everyHeaderIsWrittenAndReadAsTheReleaseDid() {
    return eachRow(
        "vectors",
        (codec, row) -> {
          RemoteMetadata metadata = metadata(row);
          String hex = row.get("hex").textValue();

          assertThat(encode(codec.lenient(), metadata)).isEqualTo(hex);
          assertThat(codec.encodedLength(metadata)).isEqualTo(hex.length() / 2);
          RemoteMetadata decoded = decode(codec, hex);
          assertThat(decoded).isEqualTo(decoded(row, metadata));
          assertThat(encode(codec.lenient(), decoded)).isEqualTo(hex);
          assertStrict(codec, metadata, hex);
        });
  }

  /** A strict codec writes the same bytes, or refuses a length that is not that of the shapes. */
  private static void assertStrict(RemoteMetadataCodec codec, RemoteMetadata metadata, String hex) {
    if (metadata.length() == metadata.payloadBytes()) {
      assertThat(encode(codec, metadata)).isEqualTo(hex);
    } else {
      assertThatThrownBy(() -> encode(codec, metadata))
          .isInstanceOf(
              metadata.length() < 0 ? IntRangeException.class : LengthMismatchException.class);
    }
  }

  @TestFactory
  Stream<DynamicContainer> everyHeaderIsReadAsTheReleaseReadsIt() {
    return eachRow(
        "decode",
        (codec, row) -> {
          RemoteMetadata decoded = decode(codec, row.get("hex").textValue());
          if (row.get("name").textValue().equals("two_group_record_read_with_one_group")) {
            // LMCache's number of groups is set per process; here the header's length tells it.
            assertThat(decoded.groups()).isEqualTo(2);
            decoded =
                new RemoteMetadata(
                    decoded.length(),
                    decoded.format(),
                    decoded.shapes().subList(0, 1),
                    decoded.dtypes().subList(0, 1));
          }
          assertThat(decoded).isEqualTo(decoded(row, decoded));
        });
  }

  @TestFactory
  Stream<DynamicContainer> whatTheReleaseRefusesIsRefusedExceptAsListed() {
    return eachRow(
        "errors",
        (codec, row) -> {
          String name = row.get("name").textValue();
          JsonNode input = row.get("input");
          if (row.get("op").textValue().equals("decode")) {
            assertDecodeError(codec, name, input.get("hex").textValue());
          } else {
            assertEncodeError(codec.lenient(), row, name, input);
          }
        });
  }

  /** Rows whose input can't be said here: a length that is no integer, a process-wide format. */
  private static final Set<String> NOT_EXPRESSIBLE =
      Set.of("length_not_int", "no_connector_created_yet");

  /** What LMCache refuses because of a group count that it holds per process. */
  private static final Set<String> GROUP_COUNT_OF_THE_PROCESS =
      Set.of("two_groups_but_header_for_one", "one_group_but_header_for_two_layerwise");

  /** What LMCache refuses because dtypes were left out: here they are filled in with bfloat16. */
  private static final Set<String> FILLED_IN =
      Set.of("more_shapes_than_dtypes", "one_shape_no_dtype_cachegen_bug");

  private static void assertEncodeError(
      RemoteMetadataCodec codec, JsonNode row, String name, JsonNode input) {
    if (NOT_EXPRESSIBLE.contains(name)) {
      assertThat(row.has("exception")).isTrue();
    } else if (name.equals("serialize_into_short_buffer")) {
      assertShortBuffer(codec, input.get("buffer").intValue());
    } else if (name.equals("dtype_not_in_table_complex64")
        || name.equals("dtype_not_in_table_uint16")) {
      assertThatThrownBy(() -> metadata(input)).isExactlyInstanceOf(IllegalArgumentException.class);
    } else if (name.equals("zero_groups")) {
      // LMCache writes the eight bytes; nobody can read them.
      assertThat(row.get("ok_hex").textValue()).isEqualTo("0800000001000000");
      assertThatThrownBy(() -> encode(codec, metadata(input)))
          .isInstanceOf(GroupCountException.class);
    } else if (FILLED_IN.contains(name)) {
      RemoteMetadata metadata = metadata(input);
      assertThat(row.get("message").textValue())
          .isEqualTo("zip() argument 2 is shorter than argument 1");
      assertThat(metadata.effectiveDtypes())
          .hasSize(metadata.groups())
          .containsOnly(DType.BFLOAT16);
      assertThat(decode(codec, encode(codec, metadata)).dtypes())
          .isEqualTo(metadata.effectiveDtypes());
    } else if (row.has("ok_hex")) {
      assertThat(encode(codec, metadata(input))).isEqualTo(row.get("ok_hex").textValue());
    } else if (GROUP_COUNT_OF_THE_PROCESS.contains(name)
        && row.get("exception").textValue().equals("struct.error")) {
      RemoteMetadata metadata = metadata(input);
      assertThat(metadata.groups()).isNotEqualTo(input.get("num_groups").intValue());
      assertThat(encode(codec, metadata)).hasSize(2 * codec.encodedLength(metadata));
    } else {
      ByteBuf out = Unpooled.buffer();
      assertThatThrownBy(() -> codec.encode(KEY, metadata(input), out))
          .isInstanceOf(here(row.get("exception").textValue(), name))
          .hasMessageContaining(KEY);
      assertThat(out.writerIndex()).isZero();
    }
  }

  private static Class<? extends MetadataException> here(String exception, String row) {
    return switch (exception) {
      case "AssertionError" -> ShapeRankException.class;
      case "KeyError" -> UnsupportedDtypeException.class;
      case "ValueError" -> DtypeCountException.class;
      case "struct.error" -> IntRangeException.class;
      default -> throw new AssertionError(row + ": " + exception);
    };
  }

  private static void assertShortBuffer(RemoteMetadataCodec codec, int size) {
    assertThat(size).isEqualTo(27);
    ByteBuf out = Unpooled.buffer(size, size);
    RemoteMetadata metadata =
        RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, 2, 16, 8), DType.BFLOAT16);
    assertThatThrownBy(() -> codec.encode(KEY, metadata, out))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(out.writerIndex()).isZero();
  }

  private static void assertDecodeError(RemoteMetadataCodec codec, String name, String hex) {
    if (name.equals("one_group_record_read_with_two_groups")) {
      assertThat(decode(codec, hex).groups()).isEqualTo(1);
      return;
    }
    boolean truncated = name.equals("empty_buffer") || name.startsWith("truncated");
    assertThatThrownBy(() -> decode(codec, hex))
        .isInstanceOf(truncated ? TruncatedMetadataException.class : UnknownCodeException.class)
        .hasMessageContaining(KEY);
  }

  @Test
  void noRowIsLeftOut() {
    Map<String, Integer> rows = new TreeMap<>();
    files()
        .values()
        .forEach(
            file -> {
              for (String section : List.of("vectors", "decode", "errors")) {
                if (file.has(section)) {
                  rows.merge(section, file.get(section).size(), Integer::sum);
                }
              }
            });
    assertThat(rows).isEqualTo(Map.of("vectors", 384, "decode", 48, "errors", 382));
  }

  @TestFactory
  Stream<DynamicTest> theTablesAreThoseOfTheRelease() {
    return files().entrySet().stream()
        .map(
            file ->
                dynamicTest(
                    file.getKey().toString(), () -> assertTables(file.getKey(), file.getValue())));
  }

  private static void assertTables(LmcacheVersion version, JsonNode file) {
    Map<String, Integer> formats = new TreeMap<>();
    for (MemoryFormat format : MemoryFormat.values()) {
      format.code(version).ifPresent(code -> formats.put(format.name(), code));
    }
    assertThat(formats).isEqualTo(ints(file.get("memory_format")));
    formats.forEach(
        (name, code) ->
            assertThat(MemoryFormat.byCode(code, version)).isEqualTo(MemoryFormat.parse(name)));
    assertThat(MemoryFormat.byCode(formats.size(), version)).isNull();
    assertThat(MemoryFormat.byCode(-1, version)).isNull();

    Map<String, Integer> dtypes = new TreeMap<>();
    for (DType dtype : DType.values()) {
      String name = dtype == DType.NONE ? "None" : "torch." + dtype.torchName();
      dtype.wireCode().ifPresent(code -> dtypes.put(name, code));
    }
    assertThat(dtypes).isEqualTo(ints(file.get("dtype_to_int")));
    if (file.has("int_to_dtype")) { // not in a file before 0.3.12
      for (Map.Entry<String, JsonNode> e : file.get("int_to_dtype").properties()) {
        String name = e.getValue().textValue();
        DType dtype = name.equals("None") ? DType.NONE : DType.parse(name);
        assertThat(DType.byWireCode(Integer.parseInt(e.getKey()))).isEqualTo(dtype);
      }
    }
  }

  private static Map<String, Integer> ints(JsonNode table) {
    Map<String, Integer> ints = new TreeMap<>();
    table.properties().forEach(e -> ints.put(e.getKey(), e.getValue().intValue()));
    return ints;
  }

  @Test
  void bytesBehindAHeaderAreLeftAlone() {
    ByteBuf out = Unpooled.buffer(40).writeZero(40);
    for (int i = 0; i < 40; i++) {
      out.setByte(i, 0xee);
    }
    out.clear();
    RemoteMetadata metadata =
        RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, 2, 16, 8), DType.BFLOAT16);
    RemoteMetadataCodec.current().encode(KEY, metadata, out);

    assertThat(out.readableBytes()).isEqualTo(28);
    assertThat(ByteBufUtil.hexDump(out, 0, 40))
        .isEqualTo(
            VectorFile.read("metadata").get("serialize_into_40_byte_buffer_hex").textValue());
  }

  @TestFactory
  Stream<DynamicTest> missingDtypesAreFilledInAsPullRequest2412Does() {
    JsonNode file = VectorFile.read("metadata_pr2412_restated");
    assertThat(file.get("vectors")).hasSize(9);
    RemoteMetadataCodec codec = RemoteMetadataCodec.of(LmcacheVersion.of(0, 4, 3));
    return file.get("vectors")
        .valueStream()
        .map(
            row ->
                dynamicTest(
                    row.get("name").textValue(), () -> assertFilledIn(codec.lenient(), row)));
  }

  private static void assertFilledIn(RemoteMetadataCodec codec, JsonNode row) {
    RemoteMetadata metadata = metadata(row);
    if (row.has("exception")) {
      assertThatThrownBy(() -> encode(codec, metadata))
          .isInstanceOf(here(row.get("exception").textValue(), row.get("name").textValue()));
      return;
    }
    List<DType> given = List.copyOf(metadata.dtypes());
    assertThat(metadata.effectiveDtypes()).isEqualTo(dtypes(row.get("effective_dtypes")));
    assertThat(encode(codec, metadata)).isEqualTo(row.get("hex").textValue());
    assertThat(encode(RemoteMetadataCodec.current().lenient(), metadata))
        .isEqualTo(row.get("hex").textValue());
    assertThat(metadata.dtypes()).isEqualTo(given);
  }

  /** Headers and payloads as they stood in Redis: each header is to be believed. */
  @TestFactory
  Stream<DynamicTest> headersInRedisAgreeWithTheirPayloads() {
    JsonNode cases = VectorFile.read("values_redis").get("cases");
    assertThat(cases).hasSize(15);
    return cases
        .valueStream()
        .filter(row -> !row.get("name").textValue().equals("resp_single_key")) // has no header
        .map(row -> dynamicTest(row.get("name").textValue(), () -> assertAgrees(row)));
  }

  private static void assertAgrees(JsonNode row) {
    String key = row.get("key_string").textValue();
    JsonNode redis = row.get("redis");
    byte[] header =
        Base64.getDecoder().decode(redis.get(key + "metadata").get("base64").textValue());
    long payload = redis.get(key + "kv_bytes").get("length").longValue();

    RemoteMetadata metadata =
        RemoteMetadataCodec.current().decode(key, Unpooled.wrappedBuffer(header));
    assertThat(RemoteMetadataCodec.disagreement(metadata, payload)).isEmpty();
    assertThat(metadata.shapes()).isEqualTo(shapes(row.get("read_back").get("shapes")));
    assertThat(encode(RemoteMetadataCodec.current(), metadata))
        .isEqualTo(ByteBufUtil.hexDump(header));
    if (row.has("group_views")) {
      long offset = 0;
      for (JsonNode view : row.get("group_views")) {
        int group = view.get("group").intValue();
        assertThat(view.get("offset").longValue()).isEqualTo(offset);
        assertThat(metadata.groupBytes(group)).isEqualTo(view.get("bytes").longValue());
        offset += metadata.groupBytes(group);
      }
    }
  }

  private static String encode(RemoteMetadataCodec codec, RemoteMetadata metadata) {
    ByteBuf out = Unpooled.buffer();
    codec.encode(KEY, metadata, out);
    return ByteBufUtil.hexDump(out);
  }

  private static RemoteMetadata decode(RemoteMetadataCodec codec, String hex) {
    return codec.decode(KEY, Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex)));
  }

  private static RemoteMetadata metadata(JsonNode row) {
    JsonNode fmt = row.get("fmt");
    return new RemoteMetadata(
        row.get("length").longValue(),
        MemoryFormat.parse(fmt.isObject() ? fmt.get("name").textValue() : fmt.textValue()),
        shapes(row.get("shapes")),
        dtypes(row.get("dtypes")));
  }

  /** Releases up to 0.3.11 know one group and give no length. */
  private static RemoteMetadata decoded(JsonNode row, RemoteMetadata written) {
    JsonNode decoded = row.get("decoded");
    if (decoded.has("shapes")) {
      return metadata(decoded);
    }
    return new RemoteMetadata(
        written.length(),
        MemoryFormat.parse(decoded.get("fmt").textValue()),
        List.of(shape(decoded.get("shape"))),
        List.of(dtype(decoded.get("dtype"))));
  }

  private static List<Shape> shapes(JsonNode shapes) {
    return shapes.valueStream().map(MetadataVectorsTest::shape).toList();
  }

  private static Shape shape(JsonNode shape) {
    return Shape.of(shape.valueStream().mapToLong(JsonNode::longValue).toArray());
  }

  private static List<DType> dtypes(JsonNode dtypes) {
    return dtypes.valueStream().map(MetadataVectorsTest::dtype).toList();
  }

  private static DType dtype(JsonNode dtype) {
    return dtype.isNull() ? DType.NONE : DType.parse(dtype.textValue());
  }
}
