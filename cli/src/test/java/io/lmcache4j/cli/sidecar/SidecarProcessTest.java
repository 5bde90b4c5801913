/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.redis.RedisConnector;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The command as a process, told by LMCache's own configuration, until SIGTERM. */
@Timeout(120)
final class SidecarProcessTest {

  private static final String PROMPT =
      "{\"prompt\":\"a prompt of more than two chunks\",\"max_tokens\":4}";

  private final HttpClient client = HttpClient.newHttpClient();

  private HttpResponse<String> get(String url) throws Exception {
    return client.send(
        HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
  }

  private static HttpRequest post(String url) {
    return HttpRequest.newBuilder(URI.create(url + "/v1/completions"))
        .POST(HttpRequest.BodyPublishers.ofString(PROMPT))
        .build();
  }

  @Test
  void itServesUntilItIsToldToStopAndLetsRequestsEnd(@TempDir Path dir) throws Exception {
    Path config = dir.resolve("lmcache.yaml");
    Files.writeString(
        config,
        "chunk_size: "
            + FakeModel.CHUNK
            + "\nsave_unfull_chunk: false\npre_caching_hash_algorithm: sha256_cbor\n");
    try (LocalRedis redis = LocalRedis.builder().password("pass word").start();
        RedisConnector workers = RedisConnector.open(redis.url());
        FakeVllm producer = new FakeVllm(workers, FakeVllm.Role.PRODUCER, 2);
        FakeVllm consumer = new FakeVllm(workers, FakeVllm.Role.CONSUMER, 4)) {
      Process process = start(redis, config, producer, consumer);
      try (BufferedReader err = process.errorReader(UTF_8)) {
        String url = "http://" + listening(err);
        HttpResponse<String> answer = client.send(post(url), HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(consumer.hitTokens()).containsExactly(32);
        diagnosisIsServed(url);

        CountDownLatch gate = new CountDownLatch(1);
        consumer.gate = gate;
        CompletableFuture<HttpResponse<String>> last =
            client.sendAsync(post(url), HttpResponse.BodyHandlers.ofString());
        while (consumer.requests().size() < 2) {
          Thread.sleep(5);
        }
        process.destroy();
        // It listens no more, and still waits for the request under way.
        while (accepts(URI.create(url))) {
          Thread.sleep(5);
        }
        gate.countDown();
        assertThat(last.get().statusCode()).isEqualTo(200);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(128 + 15);
      } finally {
        process.destroyForcibly();
      }
    }
  }

  private static boolean accepts(URI url) throws IOException {
    try (Socket socket = new Socket(url.getHost(), url.getPort())) {
      return socket.isConnected();
    } catch (ConnectException e) {
      return false;
    }
  }

  private void diagnosisIsServed(String url) throws Exception {
    // The first is under way from the start, and there may be chunks in it or not.
    HttpResponse<String> doctor = get(url + "/doctor");
    JsonNode diagnosis = new ObjectMapper().readTree(doctor.body());
    while (doctor.statusCode() == 404 || diagnosis.path("keys").intValue() < 48) {
      Thread.sleep(20);
      doctor = get(url + "/doctor");
      diagnosis = new ObjectMapper().readTree(doctor.body());
    }
    // 4 chunks of 2 + 4 workers, two keys each.
    assertThat(diagnosis.path("keys").intValue()).isEqualTo(48);
    assertThat(diagnosis.path("url").textValue()).doesNotContain("pass");
    assertThat(get(url + "/metrics").body())
        .contains("lmcache_doctor_keys 48.0")
        .contains("lmcache_doctor_problems{kind=\"orphan_payload\",severity=\"warning\"} 0.0");
  }

  private static Process start(LocalRedis redis, Path config, FakeVllm producer, FakeVllm consumer)
      throws Exception {
    ProcessBuilder command =
        new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.real.class.path", System.getProperty("java.class.path")),
                "io.lmcache4j.cli.Main",
                "sidecar",
                "--listen",
                "127.0.0.1:0",
                "--prefill",
                producer.url().toString(),
                "--decode",
                consumer.url() + "/",
                "--model",
                FakeModel.NAME,
                "--from-tp",
                "2",
                "--to-tp",
                "4",
                "--layers",
                "2",
                "--kv-heads",
                "4",
                "--head-size",
                "2",
                "--dtype",
                "uint8",
                "--memory-mib",
                "16",
                "--doctor-every",
                "50ms"));
    Map<String, String> environment = command.environment();
    environment.put("LMCACHE_CONFIG_FILE", config.toString());
    environment.put("LMCACHE_REMOTE_URL", redis.url());
    environment.put("PYTHONHASHSEED", "0");
    return command.redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
  }

  private static String listening(BufferedReader err) throws Exception {
    StringBuilder said = new StringBuilder();
    for (String line = err.readLine(); line != null; line = err.readLine()) {
      said.append(line).append('\n');
      if (line.contains("listening on ")) {
        return line.replaceAll(".*listening on ", "");
      }
    }
    throw new AssertionError("it did not start:\n" + said);
  }
}
