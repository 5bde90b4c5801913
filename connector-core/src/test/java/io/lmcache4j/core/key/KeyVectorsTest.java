/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.VectorFile;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Keys that eighteen releases of LMCache wrote, and what they read. */
class KeyVectorsTest {

  private static final String TAG = "lmcache.tag.";

  /** Rows of LMCache that no release writes in the field and that are refused here. */
  private static final Set<String> NEVER_WRITTEN =
      Set.of("model_empty", "hash_bytes_empty", "tag_value_with_at", "dtype_complex64");

  /** Rows where releases before 0.3.6 print the {@code repr} of bytes. */
  private static final Set<String> BYTES = Set.of("hash_bytes_32", "hash_bytes_leading_zero");

  private static Map<LmcacheVersion, JsonNode> files() {
    Map<LmcacheVersion, JsonNode> files = VectorFile.versions("keys_by_version");
    files.put(LmcacheVersion.CURRENT, VectorFile.read("keys"));
    return files;
  }

  private static boolean isRefused(KeyFormat format, String row) {
    return NEVER_WRITTEN.contains(row)
        || (BYTES.contains(row) && format.compareTo(KeyFormat.V0_3_6) < 0);
  }

  @TestFactory
  Stream<DynamicContainer> everyKeyIsWrittenAndReadAsTheReleaseWroteIt() {
    return files().entrySet().stream()
        .map(
            file -> {
              KeyFormat format = KeyFormat.of(file.getKey());
              List<DynamicTest> rows = new ArrayList<>();
              for (JsonNode row : file.getValue().get("vectors")) {
                String name = row.get("name").textValue();
                rows.add(
                    dynamicTest(
                        name,
                        () -> {
                          if (isRefused(format, name)) {
                            assertRefused(format, row);
                          } else {
                            assertSame(format, row);
                          }
                        }));
              }
              return dynamicContainer(file.getKey().toString(), rows);
            });
  }

  private static void assertSame(KeyFormat format, JsonNode row) {
    String text = row.get("string").textValue();
    ChunkKey key = key(format, row.get("fields"));

    assertThat(format.format(key)).isEqualTo(text);
    ChunkKey parsed = format.parse(text);
    assertThat(parsed).isEqualTo(withDtype(key, dtypeRead(format, key.dtype())));
    assertThat(format.format(parsed)).isEqualTo(text);

    KeyFormat detected = KeyFormat.detect(text);
    assertThat(detected.format(detected.parse(text))).isEqualTo(text);
    if (format == KeyFormat.V0_3_13_SHORT_FP8 && text.endsWith("@fp8_e5m2")) {
      assertThat(detected).isEqualTo(KeyFormat.V0_3_13); // today the name stands for one type
    } else {
      assertThat(KeyFormat.parseAny(text)).isEqualTo(parsed);
    }
  }

  private static void assertRefused(KeyFormat format, JsonNode row) {
    if (row.get("name").textValue().equals("dtype_complex64")) {
      assertThatThrownBy(() -> key(format, row.get("fields")))
          .isExactlyInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("complex64");
      return;
    }
    String text = row.get("string").textValue();
    assertThatThrownBy(() -> key(format, row.get("fields"))).isInstanceOf(KeySyntaxException.class);
    assertThatThrownBy(() -> format.parse(text)).isInstanceOf(KeySyntaxException.class);
    assertThatThrownBy(() -> KeyFormat.detect(text)).isInstanceOf(KeySyntaxException.class);
  }

  @Test
  void noRowIsLeftOut() {
    Map<KeyFormat, Integer> same = new TreeMap<>();
    Map<KeyFormat, Integer> refused = new TreeMap<>();
    files()
        .forEach(
            (version, file) -> {
              KeyFormat format = KeyFormat.of(version);
              for (JsonNode row : file.get("vectors")) {
                boolean no = isRefused(format, row.get("name").textValue());
                (no ? refused : same).merge(format, 1, Integer::sum);
              }
            });
    assertThat(same)
        .isEqualTo(
            Map.ofEntries(
                Map.entry(KeyFormat.V0_3_0, 74),
                Map.entry(KeyFormat.V0_3_3, 37),
                Map.entry(KeyFormat.V0_3_4, 94),
                Map.entry(KeyFormat.V0_3_6, 141),
                Map.entry(KeyFormat.V0_3_9_POST2, 141),
                Map.entry(KeyFormat.V0_3_13_SHORT_FP8, 49),
                Map.entry(KeyFormat.V0_3_13, 284)));
    assertThat(refused)
        .isEqualTo(
            Map.ofEntries(
                Map.entry(KeyFormat.V0_3_0, 10),
                Map.entry(KeyFormat.V0_3_3, 5),
                Map.entry(KeyFormat.V0_3_4, 12),
                Map.entry(KeyFormat.V0_3_6, 9),
                Map.entry(KeyFormat.V0_3_9_POST2, 6),
                Map.entry(KeyFormat.V0_3_13_SHORT_FP8, 3),
                Map.entry(KeyFormat.V0_3_13, 15)));
  }

  @TestFactory
  Stream<DynamicTest> layersAndWorkersAreThoseOfTheRelease() {
    return files().entrySet().stream()
        .map(
            file ->
                dynamicTest(
                    file.getKey().toString(),
                    () -> assertDerived(KeyFormat.of(file.getKey()), file.getValue())));
  }

  private static void assertDerived(KeyFormat format, JsonNode file) {
    List<String> layers = new ArrayList<>();
    file.get("split_layers_3").forEach(layer -> layers.add(layer.textValue()));
    String first = file.get("get_first_layer").textValue();
    ChunkKey parsed = format.parse(first);

    CacheEngineKey chunk = ((LayerCacheEngineKey) parsed).chunk();
    assertThat(chunk.splitLayers(3)).extracting(format::format).isEqualTo(layers).hasSize(3);
    assertThat(format.format(chunk.firstLayer())).isEqualTo(first);
    assertThat(chunk.workerId()).isEqualTo(3);

    assertThat(file.has("with_new_worker_id_0"))
        .isEqualTo(format.compareTo(KeyFormat.V0_3_9_POST2) >= 0);
    if (file.has("with_new_worker_id_0")) {
      String other = file.get("with_new_worker_id_0").textValue();
      assertThat(format.format(chunk.withWorkerId(0))).isEqualTo(other);
      assertThat(format.parse(other)).isEqualTo(chunk.withWorkerId(0));
    }
  }

  /**
   * What LMCache reads and what is read here, where it isn't the same: a second spelling of a
   * number is refused, a hash keeps its zeros, a model name with {@code @} is read.
   */
  @TestFactory
  Stream<DynamicTest> readingDiffersFromTheReleaseOnlyAsListed() {
    return files().entrySet().stream()
        .map(
            file ->
                dynamicTest(
                    file.getKey().toString(),
                    () -> {
                      KeyFormat format = KeyFormat.of(file.getKey());
                      JsonNode rows = file.getValue().get("parse");
                      Map<String, String> listed = listedDifferences(format);
                      if (file.getKey().equals(LmcacheVersion.CURRENT)) {
                        assertThat(rows).hasSize(24);
                        listed.keySet().removeAll(NOT_IN_CURRENT_FILE);
                      } else {
                        assertThat(rows).hasSize(31);
                      }
                      assertThat(differences(format, rows)).isEqualTo(listed);
                    }));
  }

  /** Rows that the file of 0.5.6 hasn't got. */
  private static final Set<String> NOT_IN_CURRENT_FILE =
      Set.of("hash_uppercase", "hash_spaces", "layer_negative", "model_with_at");

  private static Map<String, String> listedDifferences(KeyFormat format) {
    Map<String, String> listed = new TreeMap<>();
    if (format == KeyFormat.V0_3_3) {
      return listed; // reads decimal digits only, as is done here
    }
    for (String row :
        List.of(
            "hash_0x_prefix",
            "hash_plus_sign",
            "hash_underscore",
            "hash_spaces",
            "hash_uppercase",
            "layer_negative",
            "layer_unicode_digit",
            "worker_plus",
            "world_size_spaces")) {
      listed.put(row, REFUSED);
    }
    if (format.compareTo(KeyFormat.V0_3_9_POST2) < 0) {
      listed.put("surrounding_space", REFUSED); // int() strips it
    }
    if (format == KeyFormat.V0_3_4) {
      // Writes decimal, reads hexadecimal: whatever has a letter was never written by it.
      for (String row :
          List.of(
              "dtype_missing_layer_like",
              "hash_leading_zeros",
              "hash_minus",
              "layer",
              "layer_and_tag",
              "tag",
              "tag_two_percents",
              "too_few_parts")) {
        listed.put(row, REFUSED);
      }
      return listed;
    }
    listed.put("model_with_at", "read");
    if (format == KeyFormat.V0_3_0) {
      // Takes the hash as text, whatever it is.
      for (String row : List.of("hash_empty", "hash_not_hex", "redis_metadata_key")) {
        listed.put(row, REFUSED);
      }
    } else {
      listed.put("hash_leading_zeros", "kept");
    }
    return listed;
  }

  private static Map<String, String> differences(KeyFormat format, JsonNode rows) {
    Map<String, String> differences = new TreeMap<>();
    for (JsonNode row : rows) {
      String text = row.get("string").textValue();
      String lmcache = readByLmcache(row);
      String here = readHere(format, text);
      if (!here.equals(REFUSED)) {
        assertThat(here).isEqualTo(text);
      }
      if (!lmcache.equals(here)) {
        String verdict = lmcache.equals(REFUSED) ? "read" : "kept";
        differences.put(row.get("name").textValue(), here.equals(REFUSED) ? REFUSED : verdict);
      }
    }
    return differences;
  }

  private static final String REFUSED = "refused";

  /** LMCache has a class for each kind of key; what either reads is read. */
  private static String readByLmcache(JsonNode row) {
    for (String type : List.of("CacheEngineKey", "LayerCacheEngineKey")) {
      if (row.get(type).isTextual()) {
        return row.get(type).textValue();
      }
    }
    return REFUSED;
  }

  private static String readHere(KeyFormat format, String text) {
    try {
      return format.format(format.parse(text));
    } catch (KeySyntaxException e) {
      assertThat(e.text()).isEqualTo(text);
      return REFUSED;
    }
  }

  @Test
  void whatLmcacheRefusesToWriteIsNoDtypeHereEither() {
    int complex = 0;
    int bytes = 0;
    for (JsonNode file : files().values()) {
      for (JsonNode error : file.get("errors")) {
        if (error.get("name").textValue().equals("dtype_complex64")) {
          complex++;
          assertThatThrownBy(() -> DType.parse("complex64"))
              .isInstanceOf(IllegalArgumentException.class);
        } else {
          bytes++; // a bytes hash from 0.3.6 to 0.3.12; as text it is no different from an int
          assertThat(error.get("name").textValue()).startsWith("hash_bytes_");
        }
      }
    }
    assertThat(complex).isEqualTo(10);
    assertThat(bytes).isEqualTo(18);
  }

  private static ChunkKey key(KeyFormat format, JsonNode fields) {
    Map<String, String> tags = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> e : fields.get("request_configs").properties()) {
      if (e.getKey().startsWith(TAG)) {
        String value = e.getValue().isNull() ? "None" : e.getValue().asText();
        tags.put(e.getKey().substring(TAG.length()), value);
      }
    }
    CacheEngineKey chunk =
        new CacheEngineKey(
            fields.get("model_name").textValue(),
            fields.get("world_size").intValue(),
            fields.get("worker_id").intValue(),
            hash(format, fields.get("chunk_hash")),
            DType.parse(fields.get("dtype").textValue()),
            tags);
    JsonNode layer = fields.get("layer_id");
    return layer.isNull() ? chunk : new LayerCacheEngineKey(chunk, layer.intValue());
  }

  private static String hash(KeyFormat format, JsonNode hash) {
    boolean decimal = format.compareTo(KeyFormat.V0_3_6) < 0;
    if (hash.isObject()) {
      String hex = hash.get("bytes_hex").textValue();
      return decimal ? "b'" + hex + "'" : hex;
    }
    return hash.bigIntegerValue().toString(decimal ? 10 : 16);
  }

  private static DType dtypeRead(KeyFormat format, DType written) {
    return switch (format) {
      case V0_3_0, V0_3_3, V0_3_4, V0_3_6 -> DType.NONE;
      case V0_3_13 -> written;
      case V0_3_9_POST2, V0_3_13_SHORT_FP8 ->
          switch (written) {
            case FLOAT8_E4M3FN -> DType.FLOAT8_E4M3FNUZ;
            case FLOAT8_E5M2 -> DType.FLOAT8_E5M2FNUZ;
            default -> written;
          };
    };
  }

  private static ChunkKey withDtype(ChunkKey key, DType dtype) {
    CacheEngineKey chunk =
        new CacheEngineKey(
            key.modelName(), key.worldSize(), key.workerId(), key.chunkHash(), dtype, key.tags());
    return key instanceof LayerCacheEngineKey layer
        ? new LayerCacheEngineKey(chunk, layer.layerId())
        : chunk;
  }
}
