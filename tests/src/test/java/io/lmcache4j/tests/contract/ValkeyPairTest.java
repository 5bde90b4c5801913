/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.ListedKey;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.tests.servers.Slots;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The two keys of LMCache's Valkey connector until 0.4.2: a colon before the suffixes, and in a
 * cluster braces around the key, so that both are in one slot. What becomes of them is what becomes
 * of {@code redis://}'s, whose code it is; here it is shown that it is, and what their names are.
 */
@MethodSource("io.lmcache4j.tests.contract.Variant#valkeyPairs")
final class ValkeyPairTest extends Contract {

  private static final ChunkKey KEY = Samples.key(0x61);

  private String name(ChunkKey key, String suffix) {
    return (variant.isCluster() ? "{" + key + "}" : key.toString()) + ":" + suffix;
  }

  private String header(ChunkKey key) {
    return name(key, "metadata");
  }

  private String payload(ChunkKey key) {
    return name(key, "kv_bytes");
  }

  @Test
  void theNamesAreThoseOfTheOlderConnector() {
    stored(KEY);
    assertThat(raw.keys()).containsExactly(payload(KEY), header(KEY));
    assertThat(raw.get(header(KEY))).isEqualTo(Samples.header());
    assertThat(raw.get(payload(KEY))).isEqualTo(Samples.payload());
    if (variant.isCluster()) {
      assertThat(Slots.of(header(KEY))).isEqualTo(Slots.of(payload(KEY)));
    }
    GetOutcome outcome = get(KEY);
    assertThat(bytesOf(outcome)).isEqualTo(Samples.payload());
    assertThat(((GetOutcome.Hit) outcome).chunk().metadata()).isEqualTo(Samples.METADATA);
  }

  @Test
  void outcomesAreThoseOfTwoKeys() {
    assertThat(get(KEY)).isEqualTo(new GetOutcome.Miss(KEY));
    raw.set(header(KEY), Samples.header());
    assertThat(connector.sync().exists(KEY)).isTrue();
    assertThat(get(KEY)).isEqualTo(new GetOutcome.Orphan(KEY));
    assertThat(raw.keys()).isEmpty();
    raw.set(payload(KEY), Samples.pattern(1000));
    assertThat(connector.sync().exists(KEY)).isFalse();
    assertThat(get(KEY)).isEqualTo(new GetOutcome.Miss(KEY));
    raw.set(header(KEY), Samples.header());
    assertThat(reasonOf(get(KEY))).contains("1024", "1000");
    assertThat(connector.sync().remove(KEY)).isTrue();
    assertThat(raw.keys()).isEmpty();
  }

  @Test
  void batchesKeepTheirPlaces() {
    List<ChunkKey> keys = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      keys.add(Samples.key(i));
      stored(keys.get(i));
    }
    assertThat(connector.sync().batchedContains(keys)).isEqualTo(20);
    raw.call("DEL", header(keys.get(7)), payload(keys.get(7)));
    assertThat(connector.sync().batchedContains(keys)).isEqualTo(7);
    List<GetOutcome> outcomes = connector.sync().batchedGet(keys);
    for (int i = 0; i < 20; i++) {
      if (i == 7) {
        assertThat(outcomes.get(i)).isEqualTo(new GetOutcome.Miss(keys.get(i)));
      } else {
        assertThat(bytesOf(outcomes.get(i))).isEqualTo(Samples.payload());
      }
    }
  }

  @Test
  void keysAreListedWithoutTheirDress() {
    stored(KEY);
    stored(Samples.key(2));
    raw.set("session:1", Samples.payload());
    assertThat(connector.sync().list())
        .containsExactlyInAnyOrder(
            new ListedKey(KEY.toString(), KEY),
            new ListedKey(Samples.key(2).toString(), Samples.key(2)));
  }

  @Test
  void aTimeToLiveIsOnBothTheLaterOnThePayload() {
    RedisConnector expiring = open(options -> options.ttl(Duration.ofHours(1)));
    assertThat(put(expiring, KEY, Samples.METADATA, Samples.payload()))
        .isInstanceOf(PutOutcome.Stored.class);
    long header = raw.number("PTTL", header(KEY));
    assertThat(header).isBetween(3_500_000L, 3_600_000L);
    assertThat(raw.number("PTTL", payload(KEY))).isGreaterThan(header);
  }

  @Test
  void aChunkOfAnotherLayoutIsNamed() {
    raw.set(KEY.toString(), Samples.payload());
    assertThat(connector.sync().inspect(KEY).problems())
        .singleElement()
        .asString()
        .contains("a single-key layout (resp:// or valkey://)");
    raw.call("FLUSHALL");
    raw.set(KEY + "metadata", Samples.header());
    assertThat(connector.sync().inspect(KEY).problems())
        .singleElement()
        .asString()
        .contains("the two-key layout (redis://)");
    stored(KEY);
    assertThat(connector.sync().inspect(KEY).problems()).isEmpty();
  }
}
