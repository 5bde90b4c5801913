/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ExecutorTest {

  @Test
  void anExecutorThatWasShutDownDoesNotKeepTheOutcomes() throws Exception {
    try (ScriptedServer server = new ScriptedServer();
        RedisConnector connector =
            RedisConnector.open(
                RedisConnectorOptions.builder(server.url())
                    .executor(
                        task -> {
                          throw new RejectedExecutionException("shut down");
                        })
                    .build())) {
      GetOutcome outcome =
          connector
              .get(CacheEngineKey.of("m", 1, 0, 1, DType.BFLOAT16))
              .toCompletableFuture()
              .get(10, TimeUnit.SECONDS);

      assertThat(outcome).isInstanceOf(GetOutcome.Miss.class);
    }
  }
}
