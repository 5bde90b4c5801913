/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ServerNameTest {

  @Test
  void redisIsToldByItsVersion() {
    assertThat(ServerName.parse("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n"))
        .isEqualTo("redis 7.0.15");
  }

  @Test
  void valkeyIsToldByItsOwnVersionAndNotByTheOneItClaims() {
    assertThat(
            ServerName.parse(
                "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\n"))
        .isEqualTo("valkey 9.1.2");
  }

  @Test
  void linesMayEndAsTheyLike() {
    assertThat(ServerName.parse("redis_version:8.4.0\nos:Linux\n")).isEqualTo("redis 8.4.0");
  }

  @Test
  void whoeverDoesNotTellIsUnknown() {
    assertThat(ServerName.parse("")).isEqualTo("unknown");
    assertThat(ServerName.parse("proxy_version:1\r\nx_redis_version:2\r\n")).isEqualTo("unknown");
  }
}
