/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import io.lmcache4j.cli.server.LocalRedis;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What {@code put} writes is what the real LMCache 0.5.6 wrote: vectors/values_redis.json. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ValuesVectorTest {

  private final LocalRedis redis = LocalRedis.start();
  private final RedisClient client = RedisClient.create(redis.url());
  private final StatefulRedisConnection<String, byte[]> connection =
      client.connect(RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE));

  @TempDir private Path dir;

  @BeforeAll
  void theServerIsReal() {
    assertThat(connection.sync().ping()).isEqualTo("PONG");
  }

  @AfterAll
  void close() {
    connection.close();
    client.shutdown();
    redis.close();
  }

  private static JsonNode cases() throws IOException {
    try (InputStream in =
        ValuesVectorTest.class.getResourceAsStream("/vectors/values_redis.json")) {
      return new ObjectMapper().readTree(Objects.requireNonNull(in)).get("cases");
    }
  }

  @TestFactory
  Stream<DynamicTest> putWritesWhatLmcacheWroteAndGetReadsIt() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode vector : cases()) {
      String name = vector.get("name").asText();
      // resp:// is another layout: one key, no header.
      if (!name.equals("resp_single_key")) {
        tests.add(DynamicTest.dynamicTest(name, () -> check(vector)));
      }
    }
    return tests.stream();
  }

  private void check(JsonNode vector) throws IOException {
    String key = vector.get("key_string").asText();
    JsonNode written = vector.get("redis");
    byte[] payload = bytes(written.get(key + "kv_bytes"));
    byte[] header = bytes(written.get(key + "metadata"));
    Path in = Files.write(dir.resolve("in"), payload);

    connection.sync().flushall();
    Run put = Run.of(putArguments(vector, key, in));
    assertThat(put.err()).isEqualTo("stored " + payload.length + " bytes\n");
    assertThat(put.exitCode()).isZero();
    assertThat(connection.sync().keys("*"))
        .containsExactlyInAnyOrder(key + "kv_bytes", key + "metadata");
    assertThat(connection.sync().get(key + "kv_bytes")).isEqualTo(payload);
    assertThat(connection.sync().get(key + "metadata")).isEqualTo(header);

    Run get = Run.of("get", key, "--out", "-", "--url", redis.url());
    assertThat(get.exitCode()).isZero();
    assertThat(get.bytes()).isEqualTo(payload);

    Run inspect = Run.of("inspect", key, "--json", "--url", redis.url());
    JsonNode json = new ObjectMapper().readTree(inspect.out());
    assertThat(json.get("length").asInt()).isEqualTo(payload.length);
    assertThat(json.get("payloadBytes").asInt()).isEqualTo(payload.length);
    assertThat(json.get("problems")).isEmpty();
    if (vector.has("shapes")) {
      assertThat(json.get("format")).isEqualTo(vector.get("memory_format"));
      for (int i = 0; i < vector.get("shapes").size(); i++) {
        JsonNode group = json.get("groups").get(i);
        assertThat(group.get("shape")).isEqualTo(vector.get("shapes").get(i));
        assertThat(group.get("dtype")).isEqualTo(vector.get("dtypes").get(i));
      }
    }
  }

  private String[] putArguments(JsonNode vector, String key, Path in) {
    List<String> args =
        new ArrayList<>(List.of("put", key, "--in", in.toString(), "--url", redis.url()));
    if (!vector.has("shapes")) {
      // Opaque bytes have a length, and that is all.
      args.addAll(List.of("--format", vector.get("read_back").get("fmt").asText()));
      return args.toArray(String[]::new);
    }
    args.addAll(List.of("--format", vector.get("memory_format").asText()));
    for (JsonNode shape : vector.get("shapes")) {
      List<String> dims = new ArrayList<>();
      shape.forEach(dim -> dims.add(dim.asText()));
      args.addAll(List.of("--shape", String.join(",", dims)));
    }
    vector.get("dtypes").forEach(dtype -> args.addAll(List.of("--dtype", dtype.asText())));
    return args.toArray(String[]::new);
  }

  private static byte[] bytes(JsonNode value) {
    return Base64.getDecoder().decode(value.get("base64").asText());
  }
}
