/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.CBORGenerator;
import io.lmcache4j.core.VectorFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CborTupleWriterTest {

  private static final int MAX_TOKENS = 700;

  static String hex(CborTupleWriter writer) {
    return HexFormat.of()
        .formatHex(writer.array(), writer.offset(), writer.offset() + writer.length());
  }

  @TestFactory
  Stream<DynamicTest> encodesAsCanonicalCborLibraryOfVllm() {
    List<JsonNode> rows =
        HashVectors.list(VectorFile.read("hash_cbor_restated").path("cbor_encodings"));
    assertThat(rows).hasSize(10);
    return rows.stream()
        .map(
            row ->
                DynamicTest.dynamicTest(
                    row.path("value").toString(),
                    () -> {
                      JsonNode value = row.path("value");
                      if (isBeyond64Bits(value)) {
                        assertThatThrownBy(() -> NoneHash.of(value.get(0).bigIntegerValue()))
                            .isInstanceOf(IllegalArgumentException.class)
                            .hasMessageContaining("18446744073709551616");
                      } else {
                        assertThat(encode(value)).isEqualTo(row.path("hex").textValue());
                      }
                    }));
  }

  private static boolean isBeyond64Bits(JsonNode value) {
    return value.path(0).isBigInteger() && value.path(0).bigIntegerValue().bitLength() > Long.SIZE;
  }

  private static String encode(JsonNode value) {
    if (value.isTextual()) {
      CborTupleWriter text = new CborTupleWriter(0, ThirdElement.ABSENT);
      text.writeText(value.textValue().getBytes(StandardCharsets.US_ASCII));
      return hex(text);
    }
    if (!value.path(1).isArray()) {
      CborTupleWriter array =
          new CborTupleWriter(Long.BYTES * 2 * value.size(), ThirdElement.ABSENT);
      array.writeIntegers(HashVectors.longs(value), 0, value.size());
      return hex(array);
    }
    ThirdElement third = value.path(2).isNull() ? ThirdElement.NONE : ThirdElement.EMPTY_TUPLE;
    long[] tokens = HashVectors.longs(value.path(1));
    CborTupleWriter tuple = new CborTupleWriter(9 * tokens.length, third);
    tuple.begin();
    tuple.writeIntegers(tokens, 0, tokens.length);
    JsonNode previous = value.path(0);
    if (previous.isTextual()) {
      tuple.writeBytes(HexFormat.of().parseHex(previous.textValue()));
    } else if (previous.bigIntegerValue().signum() < 0) {
      tuple.writeInteger(previous.longValue());
    } else {
      tuple.writeUnsigned(previous.bigIntegerValue().longValue());
    }
    tuple.end();
    return hex(tuple);
  }

  @ParameterizedTest
  @EnumSource(ThirdElement.class)
  void writesWhatJacksonWritesForRandomIntTokens(ThirdElement third) throws IOException {
    Random random = new Random(20_250_711);
    CborTupleWriter writer = new CborTupleWriter(5 * MAX_TOKENS, third);
    for (int round = 0; round < 2_000; round++) {
      int[] tokens = new int[random.nextInt(MAX_TOKENS)];
      boolean negatives = round % 10 == 0;
      Arrays.setAll(
          tokens,
          i -> {
            int x = random.nextInt() >>> random.nextInt(32);
            return negatives ? x : x & Integer.MAX_VALUE;
          });
      int from = random.nextInt(tokens.length + 1);
      int to = from + random.nextInt(tokens.length - from + 1);
      long previous = random.nextLong() >>> random.nextInt(64);

      writer.begin();
      writer.writeIntegers(tokens, from, to);
      writer.writeUnsigned(previous);
      writer.end();

      long[] wide = Arrays.stream(tokens, from, to).asLongStream().toArray();
      assertThat(hex(writer)).isEqualTo(jackson(previous, wide, third));
    }
  }

  @Test
  void writesWhatJacksonWritesForRandomLongTokens() throws IOException {
    Random random = new Random(42);
    CborTupleWriter writer = new CborTupleWriter(9 * 64, ThirdElement.EMPTY_TUPLE);
    for (int round = 0; round < 2_000; round++) {
      long[] tokens = new long[random.nextInt(64)];
      Arrays.setAll(tokens, i -> random.nextLong() >> random.nextInt(64));

      writer.begin();
      writer.writeIntegers(tokens, 0, tokens.length);
      writer.writeUnsigned(round);
      writer.end();

      assertThat(hex(writer)).isEqualTo(jackson(round, tokens, ThirdElement.EMPTY_TUPLE));
    }
  }

  @Test
  void writesEveryBoundaryOfTheFourForms() throws IOException {
    int[] tokens = {
      0,
      1,
      15,
      16,
      22,
      23,
      24,
      25,
      31,
      32,
      255,
      256,
      257,
      65535,
      65536,
      65537,
      1 << 24,
      Integer.MAX_VALUE
    };
    CborTupleWriter writer = new CborTupleWriter(5 * tokens.length, ThirdElement.EMPTY_TUPLE);

    writer.begin();
    writer.writeIntegers(tokens, 0, tokens.length);
    writer.writeUnsigned(0);
    writer.end();

    assertThat(hex(writer))
        .isEqualTo(
            jackson(0, Arrays.stream(tokens).asLongStream().toArray(), ThirdElement.EMPTY_TUPLE));
  }

  private static String jackson(long previous, long[] tokens, ThirdElement third)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CBORGenerator generator = new CBORFactory().createGenerator(out)) {
      generator.writeStartArray(null, third.tupleLength());
      generator.writeNumber(Math.max(previous, 0));
      generator.writeStartArray(null, tokens.length);
      for (long token : tokens) {
        generator.writeNumber(token);
      }
      generator.writeEndArray();
      switch (third) {
        case ABSENT -> {}
        case NONE -> generator.writeNull();
        case EMPTY_TUPLE -> {
          generator.writeStartArray(null, 0);
          generator.writeEndArray();
        }
      }
      generator.writeEndArray();
    }
    String hex = HexFormat.of().formatHex(out.toByteArray());
    // Jackson makes a bignum of 2^63 and more; CBOR has a shorter form, which canonical CBOR
    // demands.
    return previous >= 0
        ? hex
        : hex.substring(0, 2) + "1b" + Long.toHexString(previous) + hex.substring(4);
  }
}
