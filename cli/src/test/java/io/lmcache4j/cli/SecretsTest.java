/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SecretsTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "redis://:pw@h:1/0|redis://***@h:1/0",
        "to redis://u:p@w@h, then|to redis://***@h, then",
        "redis://u:p/w@h|redis://***@h",
        "unix://:pw@/run/redis.sock|unix://***@/run/redis.sock",
        "redis://h?password=pw&db=1|redis://h?password=***&db=1",
        "redis://h:6379|redis://h:6379",
        "s3://bucket/model@1@0@ff@half|s3://bucket/model@1@0@ff@half",
        "meta/Llama@1@0@ff@half|meta/Llama@1@0@ff@half",
      })
  void credentialsAreTakenOutAndNothingElse(String text, String shown) {
    assertThat(Secrets.mask(text)).isEqualTo(shown);
  }
}
