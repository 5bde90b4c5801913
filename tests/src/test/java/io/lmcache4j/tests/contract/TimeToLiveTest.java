/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Both keys expire, the payload after the metadata; without the option neither does. */
final class TimeToLiveTest extends ConnectorContract {

  private static final ChunkKey KEY = Samples.key(0x99);

  @Test
  void bothKeysExpireThePayloadLater() {
    RedisConnector expiring = open(options -> options.ttl(Duration.ofHours(1)));
    assertThat(put(expiring, KEY, Samples.METADATA, Samples.payload()))
        .isInstanceOf(PutOutcome.Stored.class);
    long header = raw.number("PTTL", header(KEY));
    long payload = raw.number("PTTL", payload(KEY));
    assertThat(header).isBetween(3_500_000L, 3_600_000L);
    assertThat(payload).isBetween(header + 5_000, header + 15_000);
    assertThat(raw.get(payload(KEY))).isEqualTo(Samples.payload());
    assertThat(bytesOf(get(KEY))).isEqualTo(Samples.payload());
    assertThat(connector.sync().inspect(KEY).problems()).isEmpty();
  }

  @Test
  void afterItsTimeAChunkIsAMissAndNoOrphan() {
    RedisConnector expiring = open(options -> options.ttl(Duration.ofMillis(20)));
    put(expiring, KEY, Samples.METADATA, Samples.payload());
    await().until(() -> !raw.has(header(KEY)));
    assertThat(get(KEY)).isEqualTo(new GetOutcome.Miss(KEY));
    assertThat(raw.has(payload(KEY))).isTrue();
  }

  @Test
  void overwritingWithoutATimeClearsIt() {
    RedisConnector expiring = open(options -> options.ttl(Duration.ofHours(1)));
    put(expiring, KEY, Samples.METADATA, Samples.payload());
    stored(KEY);
    assertThat(raw.number("PTTL", header(KEY))).isEqualTo(-1);
    assertThat(raw.number("PTTL", payload(KEY))).isEqualTo(-1);
  }

  @Test
  void aPutMayHaveATimeOfItsOwn() {
    RedisConnector expiring = open(options -> options.ttl(Duration.ofHours(1)));
    try (KvChunk chunk = chunk(KEY, Samples.METADATA, Samples.payload())) {
      assertThat(expiring.sync().put(chunk, Duration.ofHours(2)))
          .isInstanceOf(PutOutcome.Stored.class);
      assertThat(raw.number("PTTL", header(KEY))).isBetween(7_100_000L, 7_200_000L);
      assertThat(connector.sync().batchedPut(List.of(chunk), Duration.ofHours(3)))
          .allMatch(PutOutcome.Stored.class::isInstance);
      assertThat(raw.number("PTTL", header(KEY))).isBetween(10_700_000L, 10_800_000L);
      assertThat(raw.number("PTTL", payload(KEY)))
          .isGreaterThan(raw.number("PTTL", header(KEY)) + 5_000);
      assertThatThrownBy(() -> connector.put(chunk, Duration.ofNanos(1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("below one millisecond");
    }
  }
}
