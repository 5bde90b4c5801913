/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.redis.StoredName;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class HashFormTest {

  @ParameterizedTest
  @CsvSource({
    "m@1@0@-42d0f546e3028003@half, BUILTIN",
    "m@1@0@42d0f546e3028003@half, ANY",
    "m@1@0@7fffffffffffffff@half, ANY",
    "m@1@0@8000000000000000@half, SHA256_CBOR",
    "m@1@0@f3a1b2c3d4e5f607@half@3@t%v, SHA256_CBOR",
    "m@1@0@4e1195df020de59e0d65a33a4279f1183e7ae4e5d980e309f8b55adff2e61c3e@half, DIGEST",
    "vllm@m@1@0@-42d0f546e3028003, BUILTIN",
    // Decimal, and the only hash of its release.
    "vllm@m@1@0@-5313149338359954478, ANY",
    "vllm@m@1@0@4e1195df020de59e0d65a33a4279f1183e7ae4e5d980e309f8b55adff2e61c3e, ANY",
  })
  void aHashTellsItsAlgorithmOnlyWhereNoOtherMakesIt(String key, HashForm form) {
    StoredName name = StoredName.parse("", key.getBytes(StandardCharsets.UTF_8));
    assertThat(HashForm.of(Objects.requireNonNull(name))).isEqualTo(form);
  }
}
