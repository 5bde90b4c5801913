/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.model.KnownModel;
import io.lmcache4j.redis.RedisConnector;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class MatrixRunTest {

  @Test
  void whatWasPromisedIsMovedAndWhatAKilledRunHasLeftIsNoHit() throws InterruptedException {
    MatrixSettings settings =
        new MatrixSettings(KnownModel.LLAMA_3_1_8B, List.of(1, 16), List.of(2, 16), 5, 2, true, 2);
    try (LocalRedis redis = LocalRedis.start();
        RedisConnector connector = RedisConnector.open(redis.url())) {
      // The consumer's chunks, of a world that nobody resharded.
      MatrixSettings killed =
          new MatrixSettings(KnownModel.LLAMA_3_1_8B, List.of(2), List.of(2), 5, 2, true, 1);
      try (Ranks ranks =
          new Ranks(killed, connector.memory(), () -> RedisConnector.open(redis.url()))) {
        ranks.store(killed.world(2), new NumberedPayload(killed.geometry(), 5, 7));
      }
      assertThat(connector.sync().list()).isNotEmpty();

      AtomicLong told = new AtomicLong();
      MatrixResult result =
          MatrixRun.run(settings, redis.url(), Duration.ofMinutes(1), told::addAndGet);

      assertThat(told).hasValue(settings.movedBytes());
      assertThat(result.pairs())
          .extracting(MatrixResult.Pair::hitTokensBefore)
          .containsExactly(0, 0, 0, 5);
      assertThat(connector.sync().list()).isEmpty();
    }
  }
}
