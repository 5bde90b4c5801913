/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class BenchTest {

  private static final int CHUNK = 1 << 20;

  @Test
  void nothingIsCopiedAndNothingIsLeft() {
    try (LocalRedis redis = LocalRedis.start()) {
      BenchSettings settings =
          new BenchSettings(redis.url(), CHUNK, 8, 2, 2, null, Path.AUTO, null);
      AtomicLong told = new AtomicLong();
      BenchResult result = Bench.run(settings, told::addAndGet);

      assertThat(result.path()).isEqualTo("zero-copy");
      assertThat(result.put().copiedBytesPerChunk()).isZero();
      assertThat(result.get().copiedBytesPerChunk()).isZero();
      assertThat(told).hasValue(Bench.bytes(settings));
      try (RedisConnector connector = RedisConnector.open(redis.url())) {
        assertThat(connector.sync().list()).isEmpty();
      }
    }
  }
}
