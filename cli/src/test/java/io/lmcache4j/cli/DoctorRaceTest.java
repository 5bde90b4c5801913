/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.doctor.Doctor;
import io.lmcache4j.redis.doctor.DoctorOptions;
import io.lmcache4j.redis.doctor.Mending;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * A writer that has written its payload, of the same length as before, and not yet its metadata.
 */
final class DoctorRaceTest {

  @Test
  void aPayloadThatIsWrittenAgainWithinTheGraceIsSpared() throws InterruptedException {
    String busy = SickCache.key(1, 0, 1) + "kv_bytes";
    String dead = SickCache.key(1, 0, 2) + "kv_bytes";
    CountDownLatch stop = new CountDownLatch(1);
    try (LocalRedis redis = LocalRedis.start();
        SickCache cache = new SickCache(redis.url());
        RedisConnector connector = RedisConnector.open(redis.url())) {
      cache.set(busy, new byte[100]);
      cache.set(dead, new byte[100]);
      Thread writer = new Thread(() -> write(redis.url(), busy, stop));
      writer.start();
      try {
        DoctorOptions options = DoctorOptions.defaults().withGrace(Duration.ofSeconds(4));
        Mending mending = new Doctor(connector, options).mend((keys, ofAbout) -> {});
        assertThat(cache.has(busy)).isTrue();
        assertThat(cache.has(dead)).isFalse();
        assertThat(mending.spared()).isEqualTo(1);
      } finally {
        stop.countDown();
        writer.join();
      }
    }
  }

  private static void write(String url, String key, CountDownLatch stop) {
    try (SickCache cache = new SickCache(url)) {
      do {
        cache.set(key, new byte[100]);
      } while (!stop.await(50, TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
