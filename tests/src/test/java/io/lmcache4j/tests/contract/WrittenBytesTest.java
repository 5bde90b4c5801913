/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Keys and values are those that real LMCache wrote (values_redis.json), in both directions. */
final class WrittenBytesTest extends ConnectorContract {

  private static Stream<JsonNode> rows() {
    return Vectors.rows("values_redis.json", "cases").stream().filter(row -> isTwoKeys(row));
  }

  private static boolean isTwoKeys(JsonNode row) {
    return row.get("redis").size() == 2;
  }

  @Test
  void onlyTheRowOfAnotherLayoutIsLeftOut() {
    assertThat(
            Vectors.rows("values_redis.json", "cases").stream()
                .filter(row -> !isTwoKeys(row))
                .map(row -> row.get("name").asText()))
        .containsExactly("resp_single_key");
  }

  @TestFactory
  Stream<DynamicTest> whatIsPutIsWhatLmcacheWrites() {
    return rows()
        .map(
            row ->
                dynamicTest(
                    row.get("name").asText(),
                    () -> {
                      raw.call("FLUSHALL");
                      ChunkKey key = ChunkKey.parse(row.get("key_string").asText());
                      byte[] payload = valueAt(row, key + "kv_bytes");
                      assertThat(put(key, metadata(row), payload))
                          .isEqualTo(new PutOutcome.Stored(key, payload.length));
                      Map<String, byte[]> expected = values(row);
                      assertThat(raw.keys()).containsExactlyElementsOf(expected.keySet());
                      expected.forEach(
                          (name, value) -> {
                            assertThat(raw.get(name)).as(name).isEqualTo(value);
                            assertThat(raw.number("PTTL", name)).isEqualTo(-1);
                          });
                    }));
  }

  @TestFactory
  Stream<DynamicTest> whatLmcacheWroteIsWhatIsRead() {
    return rows()
        .map(
            row ->
                dynamicTest(
                    row.get("name").asText(),
                    () -> {
                      raw.call("FLUSHALL");
                      values(row).forEach(raw::set);
                      ChunkKey key = ChunkKey.parse(row.get("key_string").asText());
                      GetOutcome outcome = get(key);
                      assertThat(outcome).isInstanceOf(GetOutcome.Hit.class);
                      KvChunk chunk = ((GetOutcome.Hit) outcome).chunk();
                      assertThat(chunk.metadata()).isEqualTo(metadata(row));
                      assertThat(chunk.key()).isEqualTo(key);
                      assertThat(bytesOf(outcome)).isEqualTo(valueAt(row, key + "kv_bytes"));
                    }));
  }

  private static RemoteMetadata metadata(JsonNode row) {
    if (!row.has("shapes")) {
      // Opaque bytes, as cachegen's: told by what LMCache read back.
      JsonNode readBack = row.get("read_back");
      return new RemoteMetadata(
          readBack.get("bytes").asText().length(),
          MemoryFormat.parse(readBack.get("fmt").asText()),
          shapes(readBack.get("shapes")),
          List.of(DType.NONE));
    }
    return new RemoteMetadata(
        row.get("payload_bytes").asLong(),
        MemoryFormat.parse(row.get("memory_format").asText()),
        shapes(row.get("shapes")),
        Vectors.list(row.get("dtypes")).stream().map(name -> DType.parse(name.asText())).toList());
  }

  private static List<Shape> shapes(JsonNode shapes) {
    return Vectors.list(shapes).stream()
        .map(dims -> Shape.of(Vectors.list(dims).stream().mapToLong(JsonNode::asLong).toArray()))
        .toList();
  }

  private static byte[] valueAt(JsonNode row, String redisKey) {
    return base64(row.get("redis").get(redisKey));
  }

  private static Map<String, byte[]> values(JsonNode row) {
    Map<String, byte[]> values = new TreeMap<>();
    for (Map.Entry<String, JsonNode> field : row.get("redis").properties()) {
      values.put(field.getKey(), base64(field.getValue()));
    }
    return values;
  }

  private static byte[] base64(JsonNode value) {
    try {
      return value.get("base64").binaryValue();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
