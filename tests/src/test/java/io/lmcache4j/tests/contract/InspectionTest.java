/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.EntryInfo;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is under a key is told with everything that is wrong, and nothing is changed. */
final class InspectionTest extends ConnectorContract {

  private static final ChunkKey KEY = Samples.key(0x42);

  private EntryInfo inspected() {
    List<String> before = raw.keys();
    EntryInfo info = connector.sync().inspect(KEY);
    assertThat(info.key()).isEqualTo(KEY);
    assertThat(raw.keys()).isEqualTo(before);
    return info;
  }

  @Test
  void aGoodEntryHasNoProblems() {
    stored(KEY);
    assertThat(inspected())
        .isEqualTo(new EntryInfo(KEY, true, true, Samples.METADATA, 1024, -1, -1, List.of()));
  }

  @Test
  void anAbsentEntryIsAbsent() {
    assertThat(inspected()).isEqualTo(new EntryInfo(KEY, false, false, null, 0, -2, -2, List.of()));
  }

  @Test
  void halvesAreTold() {
    raw.set(header(KEY), Samples.header());
    EntryInfo orphan = inspected();
    assertThat(orphan.metadata()).isEqualTo(Samples.METADATA);
    assertThat(orphan.problems()).singleElement().asString().contains("payload is missing");
    raw.rename(header(KEY), payload(KEY));
    EntryInfo invisible = inspected();
    assertThat(invisible.payloadBytes()).isEqualTo(28);
    assertThat(invisible.problems()).singleElement().asString().contains("metadata is missing");
  }

  @Test
  void disagreementsAreTold() {
    raw.set(header(KEY), Samples.header());
    raw.set(payload(KEY), Samples.pattern(1000));
    assertThat(inspected().problems()).singleElement().asString().contains("1024", "1000");
    raw.set(header(KEY), Samples.pattern(27));
    assertThat(inspected().problems()).singleElement().asString().contains("27");
    raw.call("SETRANGE", header(KEY), 5_000_000, "x");
    assertThat(inspected().problems()).singleElement().asString().contains("5000001", "1288");
  }

  @Test
  void keysOfOtherTypesAreTold() {
    raw.call("LPUSH", header(KEY), "x");
    raw.call("SADD", payload(KEY), "x");
    assertThat(inspected().problems())
        .containsExactly(
            "the metadata's key holds a list and not a string",
            "the payload's key holds a set and not a string");
  }

  @Test
  void aChunkOfAnotherLayoutIsNamed() {
    raw.set(KEY.toString(), Samples.payload());
    assertThat(inspected().problems())
        .singleElement()
        .asString()
        .contains("a single-key layout (resp:// or valkey://)", "finds a miss");
    for (String older : List.of(KEY + ":metadata", "{" + KEY + "}:metadata")) {
      raw.call("FLUSHALL");
      raw.set(older, Samples.header());
      assertThat(inspected().problems()).singleElement().asString().contains("layout=pair");
    }
    stored(KEY);
    assertThat(inspected().problems()).isEmpty();
  }

  @Test
  void timesToLiveAreTold() {
    RedisConnector expiring = open(options -> options.ttl(Duration.ofMinutes(1)));
    put(expiring, KEY, Samples.METADATA, Samples.payload());
    EntryInfo info = inspected();
    assertThat(info.ttlMillis()).isBetween(1L, 60_000L);
    assertThat(info.payloadTtlMillis()).isGreaterThan(info.ttlMillis());
    raw.call("PERSIST", header(KEY));
    assertThat(inspected().problems()).singleElement().asString().contains("outlives");
    assertThat(inspected().ttlMillis()).isEqualTo(-1);
  }

  @Test
  void whatMayNotBeAskedFailsAndIsNoProblemOfTheEntry() {
    stored(KEY);
    raw.call("ACL", "SETUSER", "guest", "reset", "on", ">guest", "~*", "+@all", "-strlen");
    try {
      RedisConnector guest = open(options -> options.url(variant.urlAs("guest:guest")));
      assertThatThrownBy(() -> guest.sync().inspect(KEY))
          .isInstanceOf(RedisConnectorException.class)
          .hasMessageContaining("NOPERM");
    } finally {
      raw.call("ACL", "DELUSER", "guest");
    }
  }
}
