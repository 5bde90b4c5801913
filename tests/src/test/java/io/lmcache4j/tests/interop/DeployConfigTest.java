/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lmcache4j.redis.config.LmcacheConfig;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code deploy/up} writes for LMCache, read by LMCache itself, and by the sidecar alike. */
@Interop
final class DeployConfigTest {

  /** Loads as lmcache_get_or_create_config does in each of vLLM's processes. */
  private static final String LOAD =
      """
      import json
      from lmcache.integration.vllm.utils import lmcache_get_or_create_config
      config = lmcache_get_or_create_config()
      print(json.dumps({name: getattr(config, name) for name in (
          "chunk_size", "local_cpu", "max_local_cpu_size", "remote_url", "remote_serde",
          "save_unfull_chunk", "pre_caching_hash_algorithm", "use_layerwise", "enable_pd")}))
      """;

  @Test
  void lmcacheAndTheSidecarReadTheSame(@TempDir Path dir) throws Exception {
    Path config = dir.resolve("lmcache.yaml");
    Files.writeString(config, lmcacheYaml());
    Map<String, String> environment =
        Map.of(
            "LMCACHE_CONFIG_FILE",
            config.toString(),
            "LMCACHE_REMOTE_URL",
            "redis://:pw@redis:6379",
            "PYTHONHASHSEED",
            "0");
    Path warned = dir.resolve("err.txt");
    List<String> lines =
        run(environment, warned.toFile(), PythonEnvironment.get().python().toString(), "-c", LOAD);
    JsonNode loaded = new ObjectMapper().readTree(lines.get(lines.size() - 1));
    LmcacheConfig ours = LmcacheConfig.load(environment);

    assertThat(loaded.path("chunk_size").intValue()).isEqualTo(128).isEqualTo(ours.chunkSize());
    assertThat(loaded.path("local_cpu").booleanValue()).isTrue();
    assertThat(loaded.path("max_local_cpu_size").doubleValue()).isEqualTo(7);
    assertThat(loaded.path("remote_url").textValue())
        .isEqualTo("redis://:pw@redis:6379")
        .isEqualTo(ours.redisUrl().orElse(null));
    assertThat(loaded.path("remote_serde").textValue()).isEqualTo(ours.remoteSerde());
    assertThat(loaded.path("save_unfull_chunk").booleanValue()).isEqualTo(ours.saveUnfullChunk());
    assertThat(loaded.path("pre_caching_hash_algorithm").textValue())
        .isEqualTo("sha256_cbor")
        .isEqualTo(ours.preCachingHashAlgorithm());
    assertThat(loaded.path("use_layerwise").booleanValue()).isEqualTo(ours.useLayerwise());
    // LMCache warns of a name that it does not know, and goes on without it.
    assertThat(Files.readString(warned)).doesNotContainIgnoringCase("unknown");
    assertThat(lines.toString()).doesNotContainIgnoringCase("unknown");
  }

  private static String lmcacheYaml() throws Exception {
    List<String> shown =
        run(
            Map.of(),
            null,
            "sh",
            PythonEnvironment.findRepository().resolve("deploy/up").toString(),
            "--model",
            "m",
            "--prefill-gpus",
            "2",
            "--decode-gpus",
            "2",
            "--chunk-size",
            "128",
            "--cpu-cache",
            "7",
            "--dry-run");
    List<String> yaml = new ArrayList<>();
    boolean in = false;
    for (String line : shown) {
      if (line.startsWith("==>")) {
        in = line.endsWith("/lmcache.yaml <==");
      } else if (in) {
        yaml.add(line);
      }
    }
    assertThat(yaml).isNotEmpty();
    return String.join("\n", yaml);
  }

  private static List<String> run(
      Map<String, String> environment, @Nullable File err, String... command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.redirectError(
        err == null ? ProcessBuilder.Redirect.INHERIT : ProcessBuilder.Redirect.to(err));
    Process process = builder.start();
    List<String> lines =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .toList();
    assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
    return lines;
  }
}
