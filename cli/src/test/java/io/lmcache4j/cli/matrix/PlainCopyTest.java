/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.RedisConnector;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PlainCopyTest {

  private static List<List<ChunkKey>> chunks() {
    return IntStream.range(0, 5)
        .mapToObj(hash -> List.<ChunkKey>of(CacheEngineKey.of("m", 1, 0, hash, DType.BFLOAT16)))
        .toList();
  }

  @Test
  void aChunkThatIsNotThereEndsIt() {
    try (LocalRedis redis = LocalRedis.start();
        RedisConnector connector = RedisConnector.open(redis.url())) {
      assertThatThrownBy(() -> new PlainCopy(connector).copyAll(chunks(), 2))
          .isExactlyInstanceOf(MatrixException.class)
          .hasMessageContaining("was not got");
    }
  }

  @Test
  void aServerThatIsGoneIsReportedAsThat() {
    LocalRedis redis = LocalRedis.start();
    try (RedisConnector connector = RedisConnector.open(redis.url())) {
      redis.close();
      assertThatThrownBy(() -> new PlainCopy(connector).copyAll(chunks(), 2))
          .isInstanceOf(LmcacheException.class);
    }
  }
}
