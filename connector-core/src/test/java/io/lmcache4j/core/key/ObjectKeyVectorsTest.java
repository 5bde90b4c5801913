/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.VectorFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Keys of objects that eight releases of LMCache wrote, and what the newest refuses. */
class ObjectKeyVectorsTest {

  /** Until 0.4.3 nothing looks at the model; a key with an {@code @} in it cannot be read back. */
  private static final Set<String> REFUSED_HERE = Set.of("model_at");

  private static Map<LmcacheVersion, JsonNode> files() {
    return VectorFile.versions("mp_object_keys");
  }

  private static ObjectKey key(JsonNode fields) {
    return new ObjectKey(
        fields.get("model_name").textValue(),
        fields.get("kv_rank").longValue(),
        fields.path("object_group_id").asInt(0),
        fields.get("chunk_hash").textValue(),
        fields.path("cache_salt").asText(""));
  }

  @TestFactory
  Stream<DynamicContainer> everyKeyIsWrittenAndReadAsTheReleaseWroteIt() {
    return files().entrySet().stream()
        .map(
            file -> {
              List<DynamicTest> rows = new ArrayList<>();
              for (JsonNode row : file.getValue().get("vectors")) {
                rows.add(dynamicTest(row.get("name").textValue(), () -> check(file.getKey(), row)));
              }
              return dynamicContainer(file.getKey().toString(), rows);
            });
  }

  private static void check(LmcacheVersion version, JsonNode row) {
    if (REFUSED_HERE.contains(row.get("name").textValue())) {
      assertThatThrownBy(() -> key(row.get("fields"))).isInstanceOf(KeySyntaxException.class);
      return;
    }
    ObjectKey key = key(row.get("fields"));
    String text = row.get("string").textValue();
    assertThat(key.format(version)).isEqualTo(text);
    assertThat(ObjectKey.parse(text)).isEqualTo(key);
  }

  @TestFactory
  Stream<DynamicTest> whatLmcacheRefusesIsRefused() {
    List<DynamicTest> rows = new ArrayList<>();
    files()
        .forEach(
            (version, file) -> {
              for (JsonNode row : file.get("errors")) {
                rows.add(
                    dynamicTest(
                        version + " " + row.get("name").textValue(),
                        () ->
                            assertThatThrownBy(() -> key(row.get("fields")))
                                .isInstanceOf(KeySyntaxException.class)));
              }
            });
    return rows.stream();
  }

  @Test
  void ranksArePackedAsLmcachePacksThem() {
    files()
        .forEach(
            (version, file) -> {
              for (JsonNode row : file.get("kv_rank")) {
                long packed =
                    ObjectKey.kvRank(
                        row.get("world_size").intValue(),
                        row.get("global_rank").intValue(),
                        row.get("local_world_size").intValue(),
                        row.get("local_rank").intValue());
                assertThat(packed).isEqualTo(row.get("kv_rank").longValue());
                assertThat(String.format("%08x", packed)).isEqualTo(row.get("hex08").textValue());
              }
            });
  }
}
