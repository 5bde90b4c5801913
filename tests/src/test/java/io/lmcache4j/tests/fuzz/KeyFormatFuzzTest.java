/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.key.KeySyntaxException;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Any text as a key, and any parts as one: what is read is written back letter for letter. */
class KeyFormatFuzzTest {

  private static final String[] FIELDS = {
    "vllm", "m", "1", "-1", "0", "ff", "-ff", "half", "fp8_e4m3", "fp8_e5m2", "a%b", "%", "", "00"
  };
  private static final int MAX_FIELDS = 12;

  @FuzzTest
  void readsAndWritesTheSame(FuzzedDataProvider data) {
    switch (data.consumeInt(0, 2)) {
      case 0 -> anyText(data.consumeRemainingAsString());
      case 1 -> anyText(fields(data));
      default -> anyParts(data);
    }
  }

  private static String fields(FuzzedDataProvider data) {
    StringBuilder text = new StringBuilder(data.pickValue(FIELDS));
    for (int n = data.consumeInt(0, MAX_FIELDS); n > 0; n--) {
      text.append('@');
      text.append(data.consumeBoolean() ? data.pickValue(FIELDS) : data.consumeString(6));
    }
    return text.toString();
  }

  private static void anyText(String text) {
    for (KeyFormat format : KeyFormat.values()) {
      Allocation.isPaidFor(text.length(), 256, () -> format.parse(text));
      readBack(format, text);
    }
    detected(text);
  }

  private static void readBack(KeyFormat format, String text) {
    ChunkKey key = parse(format, text);
    if (key != null) {
      assertThat(format.format(key)).as("%s", format).isEqualTo(text);
      assertThat(format.parse(text)).isEqualTo(key).hasSameHashCodeAs(key);
      assertThat(key.withWorkerId(key.workerId())).isEqualTo(key);
      assertThat(key.toString()).isNotEmpty();
    }
  }

  private static void detected(String text) {
    ChunkKey any;
    try {
      any = KeyFormat.parseAny(text);
    } catch (KeySyntaxException e) {
      assertThat(e.getMessage()).hasSizeLessThan(2000);
      for (KeyFormat format : KeyFormat.values()) {
        assertThat(parse(format, text)).as("refused by parseAny, read by %s", format).isNull();
      }
      return;
    }
    KeyFormat format = KeyFormat.detect(text);
    assertThat(format.parse(text)).isEqualTo(any);
    assertThat(format.format(any)).isEqualTo(text);
  }

  private static @Nullable ChunkKey parse(KeyFormat format, String text) {
    try {
      return format.parse(text);
    } catch (KeySyntaxException e) {
      assertThat(e.text()).isEqualTo(text);
      return null;
    }
  }

  private static void anyParts(FuzzedDataProvider data) {
    KeyFormat format = data.pickValue(KeyFormat.values());
    ChunkKey key;
    try {
      key = key(data);
    } catch (KeySyntaxException e) {
      return;
    }
    String text;
    try {
      text = format.format(key);
    } catch (KeySyntaxException e) {
      return;
    }
    // Letter for letter, always; part for part where the grammar has a dtype to hold on to.
    ChunkKey read = format.parse(text);
    assertThat(format.format(read)).isEqualTo(text);
    if (format == KeyFormat.V0_3_13) {
      assertThat(read).isEqualTo(key);
      assertThat(ChunkKey.parse(key.toString())).isEqualTo(key);
    }
  }

  private static ChunkKey key(FuzzedDataProvider data) {
    String model = data.consumeBoolean() ? data.pickValue(FIELDS) : data.consumeString(12);
    int worldSize = data.consumeInt();
    int workerId = data.consumeInt();
    String hash =
        data.consumeBoolean()
            ? Long.toString(data.consumeLong(), data.consumeBoolean() ? 16 : 10)
            : data.consumeString(8);
    DType dtype = data.pickValue(DType.values());
    int layer = data.consumeInt(-2, 100);
    Map<String, String> tags = new LinkedHashMap<>();
    for (int n = data.consumeInt(0, 3); n > 0; n--) {
      tags.put(data.consumeString(5), data.consumeString(5));
    }
    CacheEngineKey chunk = new CacheEngineKey(model, worldSize, workerId, hash, dtype, tags);
    return layer == -2 ? chunk : new LayerCacheEngineKey(chunk, layer);
  }
}
