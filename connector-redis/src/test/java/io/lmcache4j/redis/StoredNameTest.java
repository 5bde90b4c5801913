/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.redis.StoredName.Form;
import io.lmcache4j.redis.StoredName.Part;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class StoredNameTest {

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static @Nullable StoredName parse(String redisKey) {
    return StoredName.parse("", utf8(redisKey));
  }

  private static StoredName name(String redisKey) {
    return Objects.requireNonNull(parse(redisKey), redisKey);
  }

  @ParameterizedTest
  @CsvSource({
    "m@1@0@ff@halfmetadata, PAIR, METADATA",
    "m@1@0@ff@half@3@t%vkv_bytes, PAIR, PAYLOAD",
    "m@1@0@ff@half:metadata, VALKEY_PAIR, METADATA",
    "{m@1@0@ff@half}:kv_bytes, VALKEY_CLUSTER_PAIR, PAYLOAD",
    "m@1@0@ff@half, SINGLE, WHOLE",
    "vllm@m@1@0@123metadata, PAIR, METADATA",
    "vllm@m@2@1@-ff@fp8_e4m3kv_bytes, PAIR, PAYLOAD",
    "m@01020304@0@00ff, SINGLE, WHOLE",
  })
  void everyLayoutAndGrammarIsReadAndWrittenBack(String redisKey, Form form, Part part) {
    StoredName name = name(redisKey);
    assertThat(name.form()).isEqualTo(form);
    assertThat(name.part()).isEqualTo(part);
    assertThat(name.redisKey(part)).isEqualTo(utf8(redisKey));
    assertThat(name.isAmbiguous()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "metadata",
        "kv_bytes",
        "session:42",
        "m@1@0@ff@unknownmetadata",
        "m@1@0@half"
      })
  void whatIsNoChunksIsNone(String redisKey) {
    assertThat(parse(redisKey)).isNull();
  }

  @Test
  void aNameThatIsNoUtf8OrEndlessIsNone() {
    byte[] broken = utf8("m@1@0@ff@halfmetadata");
    broken[0] = (byte) 0xff;
    assertThat(StoredName.parse("", broken)).isNull();
    assertThat(parse("m".repeat(5000) + "@1@0@ff@half")).isNull();
  }

  @Test
  void aTagThatEndsInTheWordOfASuffixMakesANameAmbiguous() {
    assertThat(name("m@1@0@ff@half@t%metadata").isAmbiguous()).isTrue();
    assertThat(name("m@1@0@ff@half@t%user-kv_bytes").isAmbiguous()).isTrue();
    assertThat(name("m@1@0@ff@half@t%vmetadata").isAmbiguous()).isFalse();
    assertThat(name("m@1@0@ff@half@t%v").isAmbiguous()).isFalse();
  }

  @Test
  void siblingsStayInTheirGrammarLayoutAndPrefix() {
    StoredName name =
        Objects.requireNonNull(StoredName.parse("t:", utf8("t:{vllm@m@2@0@ff}:metadata")));
    assertThat(name.commitKey(name.key().withWorkerId(1)))
        .isEqualTo(utf8("t:{vllm@m@2@1@ff}:metadata"));
    assertThat(name.redisKey(Part.PAYLOAD)).isEqualTo(utf8("t:{vllm@m@2@0@ff}:kv_bytes"));
    StoredName single = name("m@2@0@ff@half@0");
    assertThat(single.commitKey(single.key().withWorkerId(1))).isEqualTo(utf8("m@2@1@ff@half@0"));
    assertThat(StoredName.parse("t:", utf8("m@1@0@ff@halfmetadata"))).isNull();
  }
}
