/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import io.lmcache4j.core.LmcacheException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

final class FailuresTest {

  @Test
  void theServersWordsAreKept() {
    assertThat(Failures.refused("get k", "WRONGTYPE no"))
        .isInstanceOf(RedisConnectorException.class)
        .hasMessage("get k: the server refused: WRONGTYPE no");
    assertThat(Failures.lost("get k", new RedisCommandExecutionException("NOPERM no permissions")))
        .hasMessage("get k: the server refused: NOPERM no permissions");
  }

  @Test
  void aLostConnectionIsToldWithItsCause() {
    IOException reset = new IOException("Connection reset by peer");
    assertThat(Failures.lost("put k", new CompletionException(reset)))
        .isInstanceOf(RedisConnectorException.class)
        .hasMessage("put k: Connection reset by peer")
        .hasCause(reset);
    assertThat(Failures.lost("put k", new RedisException("not connected")))
        .hasMessage("put k: not connected");
  }

  @Test
  void whatIsOursAlreadyStaysWhatItIs() {
    LmcacheException known = new RequestTimeoutException("ping", Duration.ofMillis(5));
    assertThat(Failures.lost("ping", new CompletionException(known))).isSameAs(known);
    assertThat(known).hasMessage("ping: no answer within 5 ms");
  }

  @Test
  void withoutTheNativeTransportAUnixSocketIsRefusedAndNothingStaysOpen() {
    // This module's class path has none.
    assertThatThrownBy(() -> RedisConnector.open("unix://user:secret@/run/redis.sock").close())
        .isInstanceOf(RedisConnectorException.class)
        .hasMessageStartingWith("cannot connect to unix://***@/run/redis.sock: ")
        .hasMessageNotContaining("null");
    await()
        .until(
            () ->
                Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(thread -> thread.getName().startsWith("lettuce")));
  }
}
