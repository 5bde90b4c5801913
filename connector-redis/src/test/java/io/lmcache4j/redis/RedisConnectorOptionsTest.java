/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.memory.DirectMemory;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

final class RedisConnectorOptionsTest {

  private static RedisConnectorOptions.Builder builder() {
    return RedisConnectorOptions.builder("redis://h");
  }

  private static void refused(String name, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(name);
  }

  @Test
  void defaultsAreThoseThatAreDocumented() {
    RedisConnectorOptions options = RedisConnectorOptions.of("redis://h");
    assertThat(options.timeout()).isEqualTo(RedisConnectorOptions.DEFAULT_TIMEOUT);
    assertThat(options.connectTimeout()).isEqualTo(RedisConnectorOptions.DEFAULT_CONNECT_TIMEOUT);
    assertThat(options.closeTimeout()).isEqualTo(RedisConnectorOptions.DEFAULT_CLOSE_TIMEOUT);
    assertThat(options.dataConnections()).isEqualTo(RedisConnectorOptions.DEFAULT_DATA_CONNECTIONS);
    assertThat(options.inFlightBytes()).isEqualTo(RedisConnectorOptions.DEFAULT_IN_FLIGHT_BYTES);
    assertThat(options.memoryCapacity()).isEqualTo(RedisConnectorOptions.DEFAULT_MEMORY_CAPACITY);
    assertThat(options.lmcacheVersion()).isEqualTo(LmcacheVersion.CURRENT);
    assertThat(options.keyFormat()).isEqualTo(KeyFormat.V0_3_13);
    assertThat(options.path()).isEqualTo(RedisConnectorOptions.Path.AUTO);
    assertThat(options.ttl()).isNull();
    assertThat(options.memory()).isNull();
    assertThat(options.executor()).isNull();
    assertThat(options.clientName()).isNull();
  }

  @Test
  void aMutatedCopyHasEverythingOfTheOriginal() {
    try (DirectMemory memory = DirectMemory.create(1 << 20)) {
      RedisConnectorOptions options =
          builder()
              .memory(memory)
              .memoryCapacity(1 << 21)
              .timeout(Duration.ofMillis(1))
              .connectTimeout(Duration.ofMillis(2))
              .closeTimeout(Duration.ofMillis(3))
              .ttl(Duration.ofMillis(4))
              .lmcacheVersion(LmcacheVersion.parse("0.3.6"))
              .dataConnections(5)
              .inFlightBytes(6)
              .path(RedisConnectorOptions.Path.COPY)
              .executor(Runnable::run)
              .clientName("name")
              .build();
      assertThat(options.mutate().build()).usingRecursiveComparison().isEqualTo(options);
      RedisConnectorOptions other = options.mutate().url("redis://other").build();
      assertThat(other.url().nodes().get(0).host()).isEqualTo("other");
      assertThat(options.url().nodes().get(0).host()).isEqualTo("h");
    }
  }

  @Test
  void whatIsNotPositiveIsRefusedByName() {
    refused("timeout", () -> builder().timeout(Duration.ZERO));
    refused("connectTimeout", () -> builder().connectTimeout(Duration.ofMillis(-1)));
    refused("closeTimeout", () -> builder().closeTimeout(Duration.ZERO));
    refused("ttl", () -> builder().ttl(Duration.ZERO));
    refused("ttl", () -> builder().ttl(Duration.ofNanos(1)));
    refused("dataConnections", () -> builder().dataConnections(0));
    refused("inFlightBytes", () -> builder().inFlightBytes(0));
    refused("memoryCapacity", () -> builder().memoryCapacity(-1));
  }

  @Test
  void theUrlIsCheckedWhereItIsGiven() {
    assertThatThrownBy(() -> builder().url("http://h")).isInstanceOf(RemoteUrlException.class);
    assertThatThrownBy(() -> RedisConnectorOptions.of("h")).isInstanceOf(RemoteUrlException.class);
  }
}
