/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorException;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.redis.RemoteUrl;
import io.lmcache4j.redis.RemoteUrlException;
import io.lmcache4j.redis.config.LmcacheConfig;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What real LMCache 0.5.6 did ({@code behaviour_0.5.6.json}), row by row: where this connector does
 * the same, and where it differs on purpose. Every row of the file has to be named here.
 */
final class BehaviourOfLmcacheTest extends ConnectorContract {

  private static final ChunkKey KEY = Samples.key(0x61);
  private static final List<ChunkKey> THREE =
      List.of(Samples.key(1), Samples.key(2), Samples.key(3));

  /**
   * What only Python has: flags by which LMCache's parts ask each other what they can do, tensors,
   * and two settings that have no meaning here, where a connector writes what it is given.
   */
  private static final Set<String> NOT_COMPARABLE =
      Set.of(
          "support flags",
          "two groups, uint8 [1,1,5,6] (30 bytes) before float32: get_tensor(1)",
          "resp with save_chunk_meta true",
          "resp with save_unfull_chunk true");

  private final Map<String, Runnable> same = new LinkedHashMap<>();
  private final Map<String, Runnable> different = new LinkedHashMap<>();

  BehaviourOfLmcacheTest() {
    halves();
    lengths();
    headers();
    batches();
    urls();
    sentinel();
    roles();
  }

  private void write(byte[] header, int payload) {
    raw.set(header(KEY), header);
    raw.set(payload(KEY), Samples.pattern(payload));
  }

  private void isCorrupt(byte[] header, int payload) {
    write(header, payload);
    assertThat(get(KEY)).isInstanceOf(GetOutcome.Corrupt.class);
  }

  private void orphan() {
    raw.set(header(KEY), Samples.header());
  }

  private void halves() {
    same.put(
        "kv_bytes missing: exists()",
        () -> {
          orphan();
          assertThat(connector.sync().exists(KEY)).isTrue();
        });
    // null there, and the reason here.
    same.put(
        "kv_bytes missing: get()",
        () -> {
          orphan();
          assertThat(get(KEY)).isEqualTo(new GetOutcome.Orphan(KEY));
        });
    same.put(
        "kv_bytes missing: metadata key still there after get()",
        () -> {
          orphan();
          get(KEY);
          assertThat(raw.has(header(KEY))).isFalse();
        });
    same.put(
        "metadata missing: exists()",
        () -> {
          raw.set(payload(KEY), Samples.payload());
          assertThat(connector.sync().exists(KEY)).isFalse();
        });
    same.put(
        "metadata missing: get()",
        () -> {
          raw.set(payload(KEY), Samples.payload());
          assertThat(get(KEY)).isEqualTo(new GetOutcome.Miss(KEY));
        });
    same.put(
        "metadata missing: kv_bytes key left behind",
        () -> {
          raw.set(payload(KEY), Samples.payload());
          get(KEY);
          assertThat(raw.has(payload(KEY))).isTrue();
        });
  }

  private void lengths() {
    // A ValueError there, which its caller takes for a miss.
    same.put(
        "kv_bytes -1 byte vs metadata.length 1024: get()", () -> isCorrupt(Samples.header(), 1023));
    same.put(
        "kv_bytes +1 byte vs metadata.length 1024: get()", () -> isCorrupt(Samples.header(), 1025));
    same.put(
        "metadata.length 2048 + kv_bytes 2048 but shape needs 1024 bytes: get()",
        () -> isCorrupt(Samples.ints(2048, 1, 3, 2, 2, 16, 8), 2048));
    // A chunk there, the second half of which is stale memory.
    different.put(
        "metadata.length 512 + kv_bytes 512 but shape needs 1024 bytes: get()",
        () -> isCorrupt(Samples.ints(512, 1, 3, 2, 2, 16, 8), 512));
    same.put(
        "two groups, uint8 [1,1,5,6] (30 bytes) before float32: payload bytes",
        () -> {
          RemoteMetadata unaligned =
              RemoteMetadata.of(
                  MemoryFormat.KV_2LTD,
                  List.of(Shape.of(1, 1, 5, 6), Shape.of(1, 1, 5, 2)),
                  List.of(DType.UINT8, DType.FLOAT32));
          assertThat(put(KEY, unaligned, Samples.pattern(70)))
              .isEqualTo(new PutOutcome.Stored(KEY, 70));
          assertThat(raw.number("STRLEN", payload(KEY))).isEqualTo(70);
        });
    same.put(
        "re-put: plain SET, ttl after re-put of a key that had one",
        () -> {
          stored(KEY);
          raw.call("EXPIRE", header(KEY), "1000");
          raw.call("EXPIRE", payload(KEY), "1000");
          stored(KEY);
          assertThat(raw.number("TTL", header(KEY))).isEqualTo(-1);
          assertThat(raw.number("TTL", payload(KEY))).isEqualTo(-1);
        });
  }

  private void headers() {
    same.put(
        "metadata 27 bytes: get()", () -> isCorrupt(Arrays.copyOf(Samples.header(), 27), 1024));
    same.put("metadata empty string: get()", () -> isCorrupt(new byte[0], 1024));
    same.put(
        "metadata 30 bytes: get()",
        () -> {
          write(Arrays.copyOf(Samples.header(), 30), 1024);
          assertThat(bytesOf(get(KEY))).isEqualTo(Samples.payload());
        });
    same.put(
        "metadata dtype None(0) with fmt KV_2LTD: get()",
        () -> isCorrupt(Samples.ints(1024, 1, 0, 2, 2, 16, 8), 1024));
    same.put(
        "metadata key has wrong redis type: get()",
        () -> {
          raw.call("LPUSH", header(KEY), "x");
          assertThat(failureOf(get(KEY)))
              .contains("WRONGTYPE Operation against a key holding the wrong kind of value");
        });
    // There a format says which allocator makes the tensor, and these two have none. Here it is
    // told to the reader, whose memory it does not concern.
    for (int format : new int[] {0, 4}) {
      different.put(
          "metadata fmt " + (format == 0 ? "UNDEFINED(0)" : "BINARY(4)") + ": get()",
          () -> {
            write(Samples.ints(1024, format, 3, 2, 2, 16, 8), 1024);
            GetOutcome outcome = get(KEY);
            assertThat(bytesOf(outcome)).isEqualTo(Samples.payload());
            assertThat(((GetOutcome.Hit) outcome).chunk().metadata().format())
                .isEqualTo(format == 0 ? MemoryFormat.UNDEFINED : MemoryFormat.BINARY);
          });
    }
  }

  private void batches() {
    same.put(
        "batched_async_contains([1,2,3]) with 2 missing",
        () -> {
          stored(THREE.get(0));
          stored(THREE.get(2));
          assertThat(connector.sync().batchedContains(THREE)).isEqualTo(1);
        });
    // Two objects there, and nothing says whose they are.
    different.put(
        "batched_get_non_blocking([1,2,3]) with 2 missing: number of objects",
        () -> {
          stored(THREE.get(0));
          stored(THREE.get(2));
          List<GetOutcome> outcomes = connector.sync().batchedGet(THREE);
          assertThat(outcomes).hasSize(3);
          assertThat(bytesOf(outcomes.get(0))).isEqualTo(Samples.payload());
          assertThat(outcomes.get(1)).isEqualTo(new GetOutcome.Miss(THREE.get(1)));
          assertThat(bytesOf(outcomes.get(2))).isEqualTo(Samples.payload());
        });
    // NotImplementedError there.
    different.put(
        "remove_sync()",
        () -> {
          stored(KEY);
          assertThat(connector.sync().remove(KEY)).isTrue();
          assertThat(raw.keys()).isEmpty();
        });
  }

  private void urls() {
    for (String url :
        List.of(
            "redis://127.0.0.1:7101/0",
            "redis://127.0.0.1:7101?socket_timeout=1",
            "rediss://127.0.0.1:7101",
            "unix:///nonexistent.sock",
            "redis-sentinel://h1:1,h2:2")) {
      same.put("url " + url, () -> RemoteUrl.parse(url));
    }
    // Refused there for want of a port; here they have the usual one.
    different.put(
        "url redis-sentinel://h1:1,h2",
        () ->
            assertThat(RemoteUrl.parse("redis-sentinel://h1:1,h2").nodes().get(1))
                .isEqualTo(new RemoteUrl.Node("h2", RemoteUrl.DEFAULT_SENTINEL_PORT)));
    for (String scheme : List.of("redis-cluster", "resp")) {
      different.put(
          "url " + scheme + "://127.0.0.1",
          () ->
              assertThat(RemoteUrl.parse(scheme + "://127.0.0.1").nodes())
                  .containsExactly(new RemoteUrl.Node("127.0.0.1", RemoteUrl.DEFAULT_PORT)));
    }
    for (String name : List.of("remote_storage_plugin.redis.redis_url", "redis_url")) {
      String extra = "{\"" + name + "\": \"redis://127.0.0.1:7101\"}";
      same.put(
          "plugin://redis with extra_config " + extra,
          () ->
              assertThat(
                      LmcacheConfig.load(
                              Map.of(
                                  "LMCACHE_REMOTE_URL",
                                  "plugin://redis",
                                  "LMCACHE_EXTRA_CONFIG",
                                  extra))
                          .redisUrl())
                  .contains("redis://127.0.0.1:7101"));
    }
    for (String url :
        List.of(
            "plugin://redis", "plugin://redis.a", "http://x:1", "redis", "REDIS://127.0.0.1:1")) {
      same.put(
          "url " + url,
          () ->
              assertThatThrownBy(() -> RemoteUrl.parse(url))
                  .isInstanceOf(RemoteUrlException.class));
    }
  }

  private void sentinel() {
    // There nothing is awaited: every key is there, what is put is gone, and a get is an assertion.
    for (String operation :
        List.of("exists_sync of a missing key", "exists of a missing key", "get", "put returns")) {
      different.put(
          "sentinel (no server listening): " + operation,
          () ->
              assertThatThrownBy(() -> open(options -> options.url("redis-sentinel://127.0.0.1:1")))
                  .isInstanceOf(RedisConnectorException.class)
                  .hasMessageContaining("cannot connect to redis-sentinel://127.0.0.1:1"));
    }
  }

  private void roles() {
    // An AttributeError there. Here a connector that only looks up takes no memory.
    different.put(
        "connector for scheduler role (local_cpu_backend=None)",
        () -> {
          stored(KEY);
          try (RedisConnector scheduler =
              RedisConnector.open(
                  RedisConnectorOptions.builder(variant.url())
                      .memoryCapacity(HostMemory.ALIGNMENT)
                      .build())) {
            assertThat(scheduler.sync().batchedContains(List.of(KEY))).isEqualTo(1);
          }
        });
  }

  @Test
  void everyRowIsNamed() {
    Set<String> named = new TreeSet<>(NOT_COMPARABLE);
    named.addAll(BehaviourOfRespTest.ROWS);
    named.addAll(same.keySet());
    named.addAll(different.keySet());
    assertThat(
            Vectors.rows("behaviour_0.5.6.json", "observations").stream()
                .map(row -> row.get("name").asText()))
        .containsExactlyInAnyOrderElementsOf(named);
  }

  @TestFactory
  Stream<DynamicTest> asLmcacheDoes() {
    return tests(same);
  }

  @TestFactory
  Stream<DynamicTest> differentlyOnPurpose() {
    return tests(different);
  }

  private Stream<DynamicTest> tests(Map<String, Runnable> rows) {
    return Vectors.rows("behaviour_0.5.6.json", "observations").stream()
        .filter(row -> rows.containsKey(row.get("name").asText()))
        .map(row -> test(row, rows));
  }

  private DynamicTest test(JsonNode row, Map<String, Runnable> rows) {
    String name = row.get("name").asText();
    return dynamicTest(
        name + " there: " + row.get("observed"),
        () -> {
          raw.call("FLUSHALL");
          Objects.requireNonNull(rows.get(name)).run();
        });
  }
}
