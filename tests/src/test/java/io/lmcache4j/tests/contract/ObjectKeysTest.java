/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.key.KeySyntaxException;
import io.lmcache4j.core.key.ObjectKey;
import io.lmcache4j.redis.ListedKey;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The objects of LMCache's multi-process mode: keys as {@code mp_object_keys.json} has them, values
 * opaque.
 */
final class ObjectKeysTest extends SingleKeyContract {

  private static final String HASH = "000102030405060708090a0b0c0d0e0f".repeat(2);

  private static List<JsonNode> rows() {
    return Vectors.rows("mp_object_keys.json", "versions", "0.5.6", "vectors");
  }

  private static ObjectKey key(JsonNode fields) {
    return new ObjectKey(
        fields.get("model_name").asText(),
        fields.get("kv_rank").asLong(),
        fields.get("object_group_id").asInt(),
        fields.get("chunk_hash").asText(),
        fields.get("cache_salt").asText());
  }

  @TestFactory
  Stream<DynamicTest> eachIsWrittenReadListedAndRemovedUnderLmcachesName() {
    return rows().stream()
        .map(
            row ->
                dynamicTest(
                    row.get("name").asText(),
                    () -> {
                      raw.call("FLUSHALL");
                      ObjectKey key = key(row.get("fields"));
                      String name = row.get("string").asText();
                      byte[] value = Samples.pattern(5000);
                      assertThat(put(key, Samples.opaque(5000), value))
                          .isEqualTo(new PutOutcome.Stored(key, 5000));
                      assertThat(raw.keys()).containsExactly(name);
                      assertThat(raw.get(name)).isEqualTo(value);
                      assertThat(connector.sync().exists(key)).isTrue();
                      assertThat(bytesOf(get(key))).isEqualTo(value);
                      assertThat(connector.sync().list()).containsExactly(new ListedKey(name, key));
                      assertThat(connector.sync().inspect(key).problems()).isEmpty();
                      assertThat(connector.sync().remove(key)).isTrue();
                      assertThat(raw.keys()).isEmpty();
                    }));
  }

  @Test
  void whatLmcacheWroteIsReadWhateverItIs() {
    List<ObjectKey> keys = new ArrayList<>();
    for (int rank = 0; rank < 8; rank++) {
      ObjectKey key = new ObjectKey("m", ObjectKey.kvRank(8, rank, 8, rank), 0, HASH, "tenant-1");
      keys.add(key);
      raw.set(key.toString(), Samples.pattern(1 + 1000 * rank));
    }
    assertThat(connector.sync().batchedContains(keys)).isEqualTo(8);
    var outcomes = connector.sync().batchedGet(keys);
    for (int rank = 0; rank < 8; rank++) {
      assertThat(bytesOf(outcomes.get(rank))).isEqualTo(Samples.pattern(1 + 1000 * rank));
    }
  }

  @Test
  void olderReleasesHaveNoPlaceForTheGroup() {
    RedisConnector old = open(options -> options.lmcacheVersion(LmcacheVersion.parse("0.4.6")));
    ObjectKey key = new ObjectKey("m", 1L << 24, 0, HASH, "t");
    put(old, key, Samples.opaque(10), Samples.pattern(10));
    assertThat(raw.keys()).containsExactly("m@01000000@" + HASH + "@t");
    assertThat(bytesOf(old.sync().get(key))).isEqualTo(Samples.pattern(10));
    ObjectKey grouped = new ObjectKey("m", 1L << 24, 3, HASH, "t");
    PutOutcome refused = put(old, grouped, Samples.opaque(10), Samples.pattern(10));
    assertThat(((PutOutcome.Failed) refused).cause()).isInstanceOf(KeySyntaxException.class);
  }
}
