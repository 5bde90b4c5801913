/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.cli.matrix.MatrixReport;
import io.lmcache4j.cli.matrix.MatrixResult;
import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.cli.sidecar.Scripts.Said;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * What of a deployment runs without a GPU, run: Redis, the sidecar, and the scripts around them.
 */
@Timeout(120)
final class DeployScriptsTest {

  private static final int ATTEMPTS = 50;

  /** A string or a list at a path of the project that a dry run shows. */
  private static Object composed(String... path) {
    Said said =
        Scripts.run(
            Map.of(),
            "up",
            "--model",
            "meta-llama/Llama-3.1-8B-Instruct",
            "--prefill-gpus",
            "1",
            "--decode-gpus",
            "1",
            "--redis-memory",
            "64mb",
            "--dry-run");
    Object value =
        new Yaml(new SafeConstructor(new LoaderOptions()))
            .load(Objects.requireNonNull(Scripts.sections(said.out()).get("compose.yaml")));
    for (String name : path) {
      value = Objects.requireNonNull(((Map<?, ?>) Objects.requireNonNull(value)).get(name), name);
    }
    return Objects.requireNonNull(value);
  }

  private static List<String> words(Object list) {
    List<String> words = new ArrayList<>();
    for (Object word : (List<?>) list) {
      // As Compose does.
      words.add(word.toString().replace("$$", "$"));
    }
    return words;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Test
  void redisStartsAsTheProjectSaysAndItsPasswordIsNoArgument() throws Exception {
    try (LocalRedis other = LocalRedis.start()) {
      Path server =
          Path.of(ProcessHandle.of(other.pid()).orElseThrow().info().command().orElseThrow());
      int port = freePort();
      List<String> command = words(composed("services", "redis", "command"));
      command.set(
          2,
          command.get(2).replace("redis-server -", server + " - --bind 127.0.0.1 --port " + port));
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().put("REDIS_PASSWORD", "geheim");
      Process process = builder.redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
      try (Socket redis = connect(port);
          BufferedReader in =
              new BufferedReader(new InputStreamReader(redis.getInputStream(), UTF_8))) {
        redis
            .getOutputStream()
            .write(
                "PING\r\nAUTH geheim\r\nCONFIG GET maxmemory-policy\r\nCONFIG GET maxmemory\r\n"
                    .getBytes(UTF_8));
        assertThat(in.readLine()).startsWith("-NOAUTH");
        assertThat(in.readLine()).isEqualTo("+OK");
        List<String> answers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
          answers.add(in.readLine());
        }
        assertThat(answers).contains("allkeys-lru", Integer.toString(64 << 20));
        // exec: it is the process that a container stops by a signal.
        assertThat(Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline")))
            .contains("redis-server")
            .doesNotContain("geheim");
      } finally {
        process.destroyForcibly().waitFor();
      }
    }
  }

  private static Socket connect(int port) throws Exception {
    for (int i = 0; i < ATTEMPTS; i++) {
      try {
        return new Socket(InetAddress.getLoopbackAddress(), port);
      } catch (ConnectException e) {
        TimeUnit.MILLISECONDS.sleep(100);
      }
    }
    throw new AssertionError("nobody listens on port " + port);
  }

  @Test
  void theSidecarsHealthCheckTellsWhetherRedisIsThere() throws Exception {
    List<String> check = words(composed("services", "sidecar", "healthcheck", "test"));
    assertThat(check.remove(0)).isEqualTo("CMD");
    try (Deployment deployment = new Deployment(1, 1)) {
      int last = check.size() - 1;
      check.set(
          last,
          check
              .get(last)
              .replace("/8000", "/" + deployment.sidecar.address().getPort())
              // A command of YAML has no line breaks: these are printf's.
              .replace("\r\n", "\\r\\n"));
      assertThat(Scripts.run(Map.of(), check).exitCode()).isZero();
      deployment.redis.close();
      while (deployment.get("/health").statusCode() == 200) {
        Thread.sleep(10);
      }
      assertThat(Scripts.run(Map.of(), check).exitCode()).isNotZero();
    }
  }

  private static void addresses(Path dir, Deployment deployment) throws IOException {
    Files.writeString(
        dir.resolve("addresses"),
        "PROXY="
            + deployment.url("")
            + "\nPREFILL="
            + deployment.producer.url()
            + "\nDECODE="
            + deployment.consumer.url()
            + "\nMODEL="
            + FakeModel.NAME
            + "\n");
  }

  @Test
  void smokeShowsHowMuchDecodeFound(@TempDir Path dir) throws Exception {
    try (Deployment deployment = new Deployment(2, 4)) {
      addresses(dir, deployment);
      Files.writeString(dir.resolve("vllm.env"), "VLLM_API_KEY=sk-1\n");
      Said said = Scripts.run(Map.of(), "smoke", "--dir", dir.toString(), "--words", "60");
      assertThat(said.err()).isEmpty();
      assertThat(said.exitCode()).isZero();
      int tokens =
          deployment
              .consumer
              .requests("/v1/completions")
              .get(0)
              .json()
              .path("prompt")
              .asText()
              .length();
      int found = tokens / FakeModel.CHUNK * FakeModel.CHUNK;
      assertThat(said.out().lines().toList())
          .hasSize(3)
          .satisfiesExactly(
              line -> assertThat(line).startsWith("first").contains(found + " of " + tokens),
              line -> assertThat(line).startsWith("second").contains(found + " of " + tokens),
              line ->
                  assertThat(line)
                      .startsWith("external prefix cache hit rate: ")
                      .contains(2 * found + " of " + 2 * tokens));
      assertThat(
              deployment
                  .producer
                  .requests("/v1/completions")
                  .get(0)
                  .headers()
                  .getFirst("Authorization"))
          .isEqualTo("Bearer sk-1");
    }
  }

  @Test
  void smokeFailsIfDecodeFoundNothing(@TempDir Path dir) throws Exception {
    try (Deployment deployment =
        new Deployment(
            1, 1, s -> Deployment.with(s, s.prefill(), s.decode(), Duration.ofMillis(50)))) {
      deployment.producer.stores = false;
      addresses(dir, deployment);
      Said said = Scripts.run(Map.of(), "smoke", "--dir", dir.toString(), "--words", "60");
      assertThat(said.exitCode()).isEqualTo(1);
      assertThat(said.out()).contains("external prefix cache hit rate: 0 of");
      assertThat(said.err()).contains("decode found nothing");
    }
  }

  /** Ports as deploy/up gives them: one for the proxy, and those 100 and 200 above. */
  private static int threePorts() throws IOException {
    for (int i = 0; i < ATTEMPTS; i++) {
      int port = freePort();
      if (port <= 65000 && isFree(port + 100) && isFree(port + 200)) {
        return port;
      }
    }
    throw new IOException("no three free ports");
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void measureWritesWhatMatrixReads(@TempDir Path dir) throws Exception {
    Path log = dir.resolve("docker.log");
    Scripts.program(dir, "docker", "echo \"$@\" >>" + log);
    Scripts.program(dir, "nvidia-smi", "echo NVIDIA H200; echo NVIDIA H200");
    Path jar = Files.writeString(dir.resolve("some.jar"), "jar");
    int port = threePorts();
    try (Deployment deployment = new Deployment(2, 4, port)) {
      Said said =
          Scripts.run(
              Map.of("PATH", dir + ":" + System.getenv("PATH")),
              "measure",
              "--model",
              FakeModel.NAME,
              "--layers",
              "2",
              "--kv-heads",
              "4",
              "--head-size",
              "2",
              "--query-heads",
              "8",
              "--parameters",
              "123456789012",
              "--prefill-tp",
              "2",
              "--decode-tp",
              "4",
              "--prompt-tokens",
              "52",
              "--rounds",
              "2",
              "--dir",
              dir.resolve("project").toString(),
              "--report",
              dir.resolve("report").toString(),
              "--",
              "--port",
              Integer.toString(port),
              "--jar",
              jar.toString(),
              "--chunk-size",
              "8",
              "--dtype",
              "uint8");
      assertThat(said.exitCode()).as(said.err()).isZero();
      assertThat(log).content().containsSubsequence(" up --build", " down");
      MatrixResult result =
          MatrixResult.parse(Files.readString(dir.resolve("report/measured.json")));
      assertThat(result.setting().parameters()).isEqualTo(123456789012L);
      assertThat(result.setting().chunkTokens()).isEqualTo(8);
      assertThat(result.setting().promptTokens()).isEqualTo(52);
      assertThat(result.setting().gpu()).isEqualTo("2 x NVIDIA H200");
      assertThat(result.pairs()).hasSize(1);
      MatrixResult.Pair pair = result.pairs().get(0);
      assertThat(pair.prefillTp()).isEqualTo(2);
      assertThat(pair.decodeTp()).isEqualTo(4);
      assertThat(pair.hitTokens()).isEqualTo(48);
      long payload = 48L * 2 * FakeModel.LAYERS * FakeModel.HEADS * FakeModel.HEAD_SIZE;
      assertThat(pair.reshardReadBytes()).isEqualTo(payload);
      assertThat(pair.reshardWrittenBytes()).isEqualTo(payload);
      assertThat(Objects.requireNonNull(pair.ttftCold()).millis()).isEqualTo(1000);
      assertThat(Objects.requireNonNull(pair.ttftCached()).millis()).isEqualTo(250);
      assertThat(Objects.requireNonNull(pair.reshard()).fastest()).isPositive();
      assertThat(MatrixReport.write(dir.resolve("report"), result)).isNotEmpty();
      // Each round and one to warm up, each a prompt of its own to each of the two.
      assertThat(deployment.consumer.hitTokens()).containsExactly(0, 48, 0, 48, 0, 48);
    }
  }
}
