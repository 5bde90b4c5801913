/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.lmcache4j.redis.config.LmcacheConfig;
import io.lmcache4j.redis.config.LmcacheConfigException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Any file and any variables as LMCache's configuration. */
class LmcacheConfigFuzzTest {

  private static final String PASSWORD = "hunter2";

  private static final String[] KEYS = {
    "chunk_size",
    "remote_url",
    "remote_storage_plugins",
    "remote_serde",
    "pre_caching_hash_algorithm",
    "save_unfull_chunk",
    "use_layerwise",
    "enable_blending",
    "enable_pd",
    "blocking_timeout_secs",
    "remote_config_url",
    "extra_config"
  };

  /** What YAML, JSON and Python read in a way of their own. */
  private static final String[] PIECES = {
    "!!int ",
    "!!float ",
    "!!binary ",
    "!!timestamp ",
    "!!set ",
    "!!omap ",
    "!!pairs ",
    "!!map ",
    "!!seq ",
    "!!null ",
    "!!bool ",
    "!!merge ",
    "!x ",
    "&a ",
    "*a",
    "<<: ",
    "? ",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "\n",
    "\n  ",
    "| ",
    "> ",
    "\"",
    "'",
    "\\x",
    "\\U0010ffff",
    "0x",
    "0b",
    "1_0",
    ".inf",
    "1e9",
    "12:30:45",
    "2001-01-01",
    "~",
    "yes",
    "---",
    "...",
    "#",
    "%YAML 1.1",
    "=",
    "redis",
    "plugin://redis",
    "redis_url: ",
    "remote_storage_plugin.redis.redis_url: ",
    "redis://u:" + PASSWORD + "@h",
    "\"redis_url\": \"redis://:" + PASSWORD + "@h:1/0\""
  };

  private static final Path FILE = file();

  private static Path file() {
    try {
      Path file = Files.createTempFile("lmcache-fuzz", ".yaml");
      file.toFile().deleteOnExit();
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @FuzzTest
  void readsOrRefuses(FuzzedDataProvider data) throws IOException {
    boolean withFile = data.consumeBoolean();
    Map<String, String> environment = new HashMap<>();
    for (int n = data.consumeInt(0, 3); n > 0; n--) {
      environment.put("LMCACHE_" + data.pickValue(KEYS).toUpperCase(Locale.ROOT), text(data, 4));
    }
    if (data.consumeBoolean()) {
      environment.put("PYTHONHASHSEED", data.consumeString(12));
    }
    byte[] yaml = yaml(data).getBytes(StandardCharsets.UTF_8);
    Files.write(FILE, yaml);
    load(environment, withFile ? FILE : null);
  }

  private static String yaml(FuzzedDataProvider data) {
    if (data.consumeBoolean()) {
      return data.consumeRemainingAsString();
    }
    StringBuilder yaml = new StringBuilder();
    for (int n = data.consumeInt(0, 8); n > 0; n--) {
      yaml.append(data.pickValue(KEYS)).append(": ").append(text(data, 8)).append('\n');
    }
    return yaml.toString();
  }

  private static String text(FuzzedDataProvider data, int pieces) {
    StringBuilder text = new StringBuilder();
    for (int n = data.consumeInt(0, pieces); n > 0; n--) {
      text.append(data.consumeBoolean() ? data.pickValue(PIECES) : data.consumeString(4));
    }
    return text.toString();
  }

  private static void load(Map<String, String> environment, @Nullable Path file) {
    LmcacheConfig config;
    try {
      config = LmcacheConfig.load(environment, file);
    } catch (LmcacheConfigException e) {
      assertThat(e.getMessage()).hasSizeLessThan(1000);
      return;
    }
    assertThat(config.chunkSize()).isPositive();
    assertThat(config.blockingTimeout()).isPositive();
    config.saveOnlyFirstRank(true);
    config.remoteEnableMlaWorkerIdAs0(true);
    hides(config);
  }

  /** A password is one in front of an "@" in the URL that is used, and nowhere else. */
  private static void hides(LmcacheConfig config) {
    String url = config.redisUrl().orElse("");
    boolean elsewhere =
        (config.remoteSerde()
                + config.preCachingHashAlgorithm()
                + config.pythonHashSeed().orElse(""))
            .contains(PASSWORD);
    if (!elsewhere && url.lastIndexOf(PASSWORD) < url.lastIndexOf('@')) {
      assertThat(config.toString()).doesNotContain(PASSWORD);
    }
  }
}
