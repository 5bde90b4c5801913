/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RemoteUrlCredentialsTest {

  /** Passwords that nobody escaped, and a scheme that came too late. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "redis://:pass?s3cr3t@cache",
        "redis://:pass?a&s3cr3t@cache",
        "redis://:pass?db=s3cr3t@cache",
        "redis://:1234/s3cr3t@cache",
        "redis://:99999/s3cr3t@cache",
        "redis://:pass#s3cr3t@cache",
        "user:s3cr3t@redis://cache",
        "user:s3cr3t@redis://x@cache",
        ":s3cr3t@cache",
      })
  void aMessageShowsNoPasswordHoweverTheUrlIsBroken(String url) {
    assertThatThrownBy(() -> RemoteUrl.parse(url))
        .isInstanceOf(RemoteUrlException.class)
        .hasMessageContaining("***@")
        .hasMessageNotContaining("s3cr3t")
        .hasMessageNotContaining("99999");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "redis://:s3cr3t@cache?tmeout=1",
        "redis://:s3cr3t@cache/tmeout",
        "redis://:s3cr3t@cache?db=tmeout",
      })
  void whatIsNoPasswordIsNamed(String url) {
    assertThatThrownBy(() -> RemoteUrl.parse(url)).hasMessageContaining("\"tmeout\"");
  }
}
