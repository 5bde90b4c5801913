/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.SocketOptions;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class LettuceSettingsTest {

  private static final RedisConnectorOptions OPTIONS =
      RedisConnectorOptions.of("redis://u:secret@h:1");

  private static CompletableFuture<String> closedPrematurely() {
    return CompletableFuture.failedFuture(
        new RedisConnectionException(
            "Unable to connect", new RedisConnectionException("Connection closed prematurely")));
  }

  @Test
  void whatTheServerSaidToOneConnectionIsTold() {
    CompletableFuture<String> refused =
        CompletableFuture.failedFuture(
            new RedisConnectionException(
                "Unable to connect", new RedisCommandExecutionException("WRONGPASS invalid")));
    for (List<CompletableFuture<String>> opening :
        List.of(
            List.of(closedPrematurely(), refused, CompletableFuture.completedFuture("open")),
            List.of(refused, closedPrematurely(), closedPrematurely()))) {
      assertThatThrownBy(() -> LettuceSettings.await(opening, OPTIONS))
          .isInstanceOf(RedisConnectorException.class)
          .hasMessage("cannot connect to redis://***@h:1: WRONGPASS invalid");
    }
  }

  @Test
  void ifItSaidNothingThatIsTold() {
    assertThatThrownBy(
            () ->
                LettuceSettings.await(
                    List.of(CompletableFuture.completedFuture("open"), closedPrematurely()),
                    OPTIONS))
        .isInstanceOf(RedisConnectorException.class)
        .hasMessage("cannot connect to redis://***@h:1: Connection closed prematurely");
  }

  @Test
  void connectionsAreInTheirOrder() {
    assertThat(
            LettuceSettings.await(
                List.of(
                    CompletableFuture.completedFuture("a"), CompletableFuture.completedFuture("b")),
                OPTIONS))
        .containsExactly("a", "b");
  }

  @Test
  void aUnixSocketIsNotAskedForWhatOnlyTcpHas() {
    assertThat(socketOptions("unix:///tmp/redis.sock").isKeepAlive()).isFalse();
    assertThat(socketOptions("redis://h:1").isKeepAlive()).isTrue();
  }

  private static SocketOptions socketOptions(String url) {
    return LettuceSettings.clientOptions(
            RedisConnectorOptions.of(url), ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
        .getSocketOptions();
  }
}
