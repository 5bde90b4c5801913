/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeysTest {

  private static final CacheEngineKey KEY =
      CacheEngineKey.of("org/model", 4, 3, "-ff", DType.BFLOAT16);

  @Test
  void aSignedHashIsPrintedAsPythonPrintsIt() {
    assertThat(CacheEngineKey.of("m", 1, 0, -5282990986457227702L, DType.FLOAT16))
        .hasToString("m@1@0@-4950f44fcb5fa1b6@half");
    assertThat(CacheEngineKey.of("m", 1, 0, Long.MIN_VALUE, DType.FLOAT16).chunkHash())
        .isEqualTo("-8000000000000000");
    assertThat(CacheEngineKey.of("m", 1, 0, 0L, DType.FLOAT16).chunkHash()).isEqualTo("0");
  }

  @Test
  void aHashIsNeverPrintedAnew() {
    assertThat(CacheEngineKey.parse("m@1@0@00ff@half")).hasToString("m@1@0@00ff@half");
    assertThat(CacheEngineKey.parse("m@1@0@00ff@half"))
        .isNotEqualTo(CacheEngineKey.parse("m@1@0@ff@half"));
  }

  @Test
  void theOrderOfTagsIsPartOfTheKey() {
    CacheEngineKey za = CacheEngineKey.parse("m@1@0@a@half@z%1@a%2");
    CacheEngineKey az = CacheEngineKey.parse("m@1@0@a@half@a%2@z%1");

    assertThat(za.tags()).isEqualTo(az.tags());
    assertThat(za).isNotEqualTo(az);
    assertThat(za).isEqualTo(CacheEngineKey.parse(za.toString())).hasSameHashCodeAs(az);
    assertThat(za.firstLayer()).isNotEqualTo(az.firstLayer());
  }

  @Test
  void tagsAreCopiedAndCannotBeChanged() {
    Map<String, String> tags = new LinkedHashMap<>(Map.of("user", "alice"));
    CacheEngineKey key = KEY.withTags(tags);
    tags.put("user", "bob");

    assertThat(key).hasToString("org/model@4@3@-ff@bfloat16@user%alice");
    assertThatThrownBy(() -> key.tags().put("a", "b"))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThat(key.withTags(Map.of())).isEqualTo(KEY);
  }

  @Test
  void layersComeInOrderAndKeepTheChunk() {
    assertThat(KEY.splitLayers(2))
        .extracting(Object::toString)
        .containsExactly("org/model@4@3@-ff@bfloat16@0", "org/model@4@3@-ff@bfloat16@1");
    assertThat(KEY.splitLayers(0)).isEmpty();
    assertThat(KEY.firstLayer()).isEqualTo(KEY.splitLayers(1).get(0));
    assertThat(KEY.firstLayer().withWorkerId(0).chunk()).isEqualTo(KEY.withWorkerId(0));
    assertThatThrownBy(() -> KEY.splitLayers(-1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new LayerCacheEngineKey(KEY, -1))
        .isInstanceOf(KeySyntaxException.class)
        .hasMessage(
            "cache key \"org/model@4@3@-ff@bfloat16\": layer id is \"-1\", expected 0 or more");
  }

  @Test
  void aLayerIsNoWholeChunk() {
    assertThat(ChunkKey.parse("m@1@0@a@half@3"))
        .isEqualTo(new LayerCacheEngineKey(CacheEngineKey.parse("m@1@0@a@half"), 3));
    assertThatThrownBy(() -> CacheEngineKey.parse("m@1@0@a@half@3"))
        .isInstanceOf(KeySyntaxException.class)
        .hasMessageContaining("layer id is \"3\", expected a key of a whole chunk");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/models/a@b/c@1@0@a@half",
        "a@1@0@a@half@1@0@b@float@7@t%v",
        "@home@1@-1@a@half@%",
        "a%b@c%d@1@0@a@half",
        "vllm@1@0@a@half",
      })
  void aModelNameWithAtSignsIsReadFromTheRight(String text) {
    assertThat(ChunkKey.parse(text)).hasToString(text);
    assertThat(KeyFormat.detect(text)).isEqualTo(KeyFormat.V0_3_13);
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      quoteCharacter = '"',
      value = {
        "V0_3_6, vllm@a@b@1@0@c, a@b, -1",
        "V0_3_6, vllm@a@b@1@0@c@3, a@b, 3",
        "V0_3_6, vllm@5@1@0@10, 5, -1",
        "V0_3_6, vllm@a@5@1@0@10, a, 10", // LMCache's reading, though the model may be a@5
        "V0_3_6, vllm@a@b@1@0@10, a@b, -1",
      })
  void withoutADtypeALayerIsTakenWhereLmcacheTakesOne(
      KeyFormat format, String text, String model, int layer) {
    ChunkKey key = format.parse(text);
    assertThat(key.modelName()).isEqualTo(model);
    assertThat(key instanceof LayerCacheEngineKey l ? l.layerId() : -1).isEqualTo(layer);
    assertThat(key).hasToString(text);
  }

  @ParameterizedTest
  @CsvSource({
    "0.3.0, V0_3_0",
    "0.3.2, V0_3_0",
    "0.3.3, V0_3_3",
    "0.3.4, V0_3_4",
    "0.3.5, V0_3_4",
    "0.3.6, V0_3_6",
    "0.3.9, V0_3_6",
    "0.3.9.post1, V0_3_6",
    "0.3.9.post2, V0_3_9_POST2",
    "0.3.12, V0_3_9_POST2",
    "0.3.13, V0_3_13_SHORT_FP8",
    "0.3.14, V0_3_13",
    "0.5.6, V0_3_13",
    "0.5.7rc2, V0_3_13",
  })
  void aReleaseHasOneGrammar(String version, KeyFormat format) {
    assertThat(KeyFormat.of(LmcacheVersion.parse(version))).isEqualTo(format);
  }

  @Test
  void aReleaseBeforeTheOldestHasNone() {
    assertThatThrownBy(() -> KeyFormat.of(LmcacheVersion.of(0, 2, 9)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0.2.9");
  }

  @ParameterizedTest
  @CsvSource({
    "vllm@m@1@0@4e1195df020de59e0d65a33a4279f1183e7ae4e5d980e309f8b55adff2e61c3e, V0_3_0",
    "vllm@m@1@0@4e1195df020de59e0d65a33a4279f1183e7ae4e5d980e309f8b55adff2e61c3e@3, V0_3_0",
    "vllm@m@1@0@-5282990986457227702, V0_3_4",
    "vllm@m@1@0@5313149338359954478@3@t%v, V0_3_4",
    "vllm@m@1@0@-4950f44fcb5fa1b6, V0_3_6",
    "vllm@m@1@0@a@t%v, V0_3_6",
    "vllm@m@1@0@a@half, V0_3_9_POST2",
    "vllm@m@1@0@a@fp8_e4m3@3@t%v, V0_3_9_POST2",
    "vllm@vllm@1@0@a@half, V0_3_9_POST2",
    "m@1@0@a@fp8_e4m3, V0_3_13_SHORT_FP8",
    "m@1@0@a@fp8_e4m3fn, V0_3_13",
    "m@1@0@a@fp8_e5m2, V0_3_13",
    "vllm@1@0@a@half, V0_3_13",
    "vllm@1@0@a@half@3, V0_3_13",
  })
  void theGrammarIsFoundByTheDtypesPlaceAndTheHashsLooks(String text, KeyFormat format) {
    assertThat(KeyFormat.detect(text)).isEqualTo(format);
    assertThat(format.format(KeyFormat.parseAny(text))).isEqualTo(text);
  }

  @Test
  void anOldFp8NameIsReadAsLmcacheReadsIt() {
    assertThat(KeyFormat.V0_3_9_POST2.parse("vllm@m@1@0@a@fp8_e4m3").dtype())
        .isEqualTo(DType.FLOAT8_E4M3FNUZ);
    assertThat(KeyFormat.V0_3_13_SHORT_FP8.parse("m@1@0@a@fp8_e5m2").dtype())
        .isEqualTo(DType.FLOAT8_E5M2FNUZ);
    assertThat(KeyFormat.V0_3_13.parse("m@1@0@a@fp8_e5m2").dtype()).isEqualTo(DType.FLOAT8_E5M2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "V0_3_13|\"\"|number of fields|1",
        "V0_3_13|m@1@0@a|number of fields|4",
        "V0_3_6|vllm@m@1@0|number of fields|4",
        "V0_3_6|m@1@0@a|prefix|m@1@0",
        "V0_3_13|m@1@0@half@3|number of fields|5",
        "V0_3_13|m@1@0@a@fp8|dtype|fp8",
        "V0_3_13|m@1@0@a@3|dtype|a",
        "V0_3_13|m@1@0@a@fp8_e4m3|dtype|fp8_e4m3",
        "V0_3_9_POST2|vllm@m@1@0@a@fp8_e4m3fn|dtype|fp8_e4m3fn",
        "V0_3_13|m@1@0@a@halfmetadata|dtype|halfmetadata",
        "V0_3_13|m@1@0@a@half |dtype|half ",
        "V0_3_13|m@1@0@a@half@|field after the dtype|\"\"",
        "V0_3_13|m@1@0@a@half@uv|field after the dtype|uv",
        "V0_3_13|m@1@0@a@half@-3|field after the dtype|-3",
        "V0_3_13|m@1@0@a@half@03|field after the dtype|03",
        "V0_3_13|m@1@0@a@half@2147483648|field after the dtype|2147483648",
        "V0_3_13|m@1@0@a@half@٣|field after the dtype|٣",
        "V0_3_13|m@1@0@a@half@t%1@t%2|tag name|t",
        "V0_3_13|m@1@0@0xff@half|chunk hash|0xff",
        "V0_3_13|m@1@0@FF@half|chunk hash|FF",
        "V0_3_13|m@1@0@--f@half|chunk hash|--f",
        "V0_3_13|m@1@0@-@half|chunk hash|-",
        "V0_3_13|m@1@0@@half|chunk hash|\"\"",
        "V0_3_3|vllm@m@1@0@a|chunk hash|a",
        "V0_3_0|vllm@m@1@0@a@t%v|chunk hash|t%v",
        "V0_3_6|vllm@m@1@x@a@3|worker id|x",
        "V0_3_13|m@1@+0@a@half|worker id|+0",
        "V0_3_13|m@1@-0@a@half|worker id|-0",
        "V0_3_13|m@ 1@0@a@half|world size| 1",
        "V0_3_13|m@01@0@a@half|world size|01",
        "V0_3_13|m@2147483648@0@a@half|world size|2147483648",
        "V0_3_13|@1@0@a@half|model name|\"\"",
        "V0_3_13|vllm@m@1@0@a@half|model name|vllm@m",
      })
  void whatIsWrongIsNamed(KeyFormat format, String text, String field, String value) {
    KeySyntaxException e = catchThrowableOfType(KeySyntaxException.class, () -> format.parse(text));
    assertThat(e.text()).isEqualTo(text);
    assertThat(e.field()).isEqualTo(field);
    assertThat(e.value()).isEqualTo(value);
    assertThat(e)
        .hasMessage(
            "cache key \"%s\": %s is \"%s\", expected %s", text, field, value, e.expected());
  }

  @Test
  void aMessageRepeatsNoMoreThanTwoHundredCharactersAndNoControls() {
    String text = "m\n\u001b[2J" + "x".repeat(10_000);
    assertThatThrownBy(() -> ChunkKey.parse(text))
        .message()
        .hasSizeLessThan(700)
        .contains("\"m\\u000a\\u001b[2Jxxx", "… (10006 characters)")
        .doesNotContain("\n");
  }

  @Test
  void partsThatNoKeyHasAreRefused() {
    assertRefused("model name", "", "a", Map.of());
    assertRefused("model name", "vllm@m", "a", Map.of());
    assertRefused("model name", "m\ud800", "a", Map.of());
    assertRefused("chunk hash", "m", "0xff", Map.of());
    assertRefused("tag name", "m", "a", Map.of("a%b", "v"));
    assertRefused("tag name", "m", "a", Map.of("a@b", "v"));
    assertRefused("value of tag t", "m", "a", Map.of("t", "x@bfloat16"));
    assertRefused("value of tag t", "m", "a", Map.of("t", "\udc00\ud800"));
  }

  private static void assertRefused(
      String field, String model, String hash, Map<String, String> tags) {
    assertThatThrownBy(() -> new CacheEngineKey(model, 1, 0, hash, DType.FLOAT16, tags))
        .isInstanceOfSatisfying(
            KeySyntaxException.class,
            e -> {
              assertThat(e.field()).isEqualTo(field);
              assertThat(e.text()).isEqualTo(model + "@1@0@" + hash);
            });
  }

  @Test
  void aGrammarRefusesWhatItCannotSay() {
    CacheEngineKey old = CacheEngineKey.of("m", 1, 0, "ff", DType.NONE);
    CacheEngineKey tagged = KEY.withTags(Map.of("t", "v"));

    assertThat(old).hasToString("vllm@m@1@0@ff");
    for (KeyFormat format :
        List.of(KeyFormat.V0_3_9_POST2, KeyFormat.V0_3_13_SHORT_FP8, KeyFormat.V0_3_13)) {
      assertThatThrownBy(() -> format.format(old)).hasMessageContaining("dtype is \"none\"");
    }
    for (KeyFormat format : List.of(KeyFormat.V0_3_0, KeyFormat.V0_3_3)) {
      assertThatThrownBy(() -> format.format(tagged)).hasMessageContaining("tags is \"{t=v}\"");
    }
    for (KeyFormat format : List.of(KeyFormat.V0_3_3, KeyFormat.V0_3_4)) {
      assertThatThrownBy(() -> format.format(old)).hasMessageContaining("chunk hash is \"ff\"");
    }
  }

  @ParameterizedTest
  @EnumSource(KeyFormat.class)
  void whatIsWrittenIsReadBack(KeyFormat format) {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int i = 0; i < 2_000; i++) {
      ChunkKey key = randomKey(random, format);
      String text = format.format(key);
      assertThat(format.parse(text)).as("seed %d, round %d: %s", seed, i, text).isEqualTo(key);
      assertThat(KeyFormat.parseAny(text)).as("seed %d, round %d", seed, i).isEqualTo(key);
    }
  }

  private static ChunkKey randomKey(Random random, KeyFormat format) {
    boolean dtyped = format.compareTo(KeyFormat.V0_3_9_POST2) >= 0;
    boolean decimal = format == KeyFormat.V0_3_3 || format == KeyFormat.V0_3_4;
    // Without a dtype a model like a@1 can't be told from a layer; LMCache's own limit.
    String model = randomText(random, dtyped ? "aé模\ud83d\ude00/%-_. 0@" : "aé模/%-_. 0") + "m";
    Map<String, String> tags = new LinkedHashMap<>();
    if (format.compareTo(KeyFormat.V0_3_4) >= 0) {
      for (int i = random.nextInt(3); i > 0; i--) {
        tags.put(randomText(random, "ab 0-"), randomText(random, "ab%0-"));
      }
    }
    CacheEngineKey chunk =
        new CacheEngineKey(
            model,
            random.nextInt(),
            random.nextInt(64) - 1,
            Long.toString(random.nextLong(), decimal ? 10 : 16),
            dtyped ? DType.BFLOAT16 : DType.NONE,
            tags);
    return random.nextBoolean() ? chunk : new LayerCacheEngineKey(chunk, random.nextInt(200));
  }

  private static String randomText(Random random, String alphabet) {
    int[] letters = alphabet.codePoints().toArray();
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(8); i > 0; i--) {
      text.appendCodePoint(letters[random.nextInt(letters.length)]);
    }
    return text.toString();
  }
}
