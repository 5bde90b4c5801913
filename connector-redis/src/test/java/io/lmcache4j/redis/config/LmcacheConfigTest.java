/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.LmcacheException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class LmcacheConfigTest {

  private static final String SECRET = "s3cr3t";

  @TempDir private Path dir;

  private static LmcacheConfig env(String... namesAndValues) {
    Map<String, String> env = new HashMap<>(Map.of("PYTHONHASHSEED", "0"));
    for (int i = 0; i < namesAndValues.length; i += 2) {
      env.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return LmcacheConfig.load(env);
  }

  private Path file(String yaml) {
    try {
      return Files.writeString(dir.resolve("lmcache.yaml"), yaml);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private LmcacheConfig yaml(String yaml) {
    return env("LMCACHE_CONFIG_FILE", file(yaml).toString());
  }

  @Test
  void anEmptyEnvironmentGivesLmcachesDefaults() {
    LmcacheConfig config = LmcacheConfig.load(Map.of());
    assertThat(config.chunkSize()).isEqualTo(256);
    assertThat(config.remoteUrl()).isEmpty();
    assertThat(config.redisUrl()).isEmpty();
    assertThat(config.remoteSerde()).isEqualTo("naive");
    assertThat(config.preCachingHashAlgorithm()).isEqualTo("builtin");
    assertThat(config.saveUnfullChunk()).isFalse();
    assertThat(config.useLayerwise()).isFalse();
    assertThat(config.enableBlending()).isFalse();
    assertThat(config.blockingTimeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(config.extraConfig()).isEmpty();
    assertThat(config.pythonHashSeed()).isEmpty();
    assertThat(config.saveOnlyFirstRank(true)).isTrue();
    assertThat(config.saveOnlyFirstRank(false)).isFalse();
    assertThat(config.remoteEnableMlaWorkerIdAs0(true)).isTrue();
    assertThat(config.remoteEnableMlaWorkerIdAs0(false)).isFalse();
    assertThat(config.warnings()).singleElement().asString().contains("PYTHONHASHSEED is not set");
  }

  @Test
  void everyKeyIsReadFromItsVariable() {
    LmcacheConfig config =
        env(
            "LMCACHE_CHUNK_SIZE", " 512 ",
            "LMCACHE_REMOTE_URL", "'redis://cache:6380'",
            "LMCACHE_REMOTE_SERDE", "kivi",
            "LMCACHE_PRE_CACHING_HASH_ALGORITHM", "sha256_cbor",
            "LMCACHE_SAVE_UNFULL_CHUNK", "TRUE",
            "LMCACHE_USE_LAYERWISE", "1",
            "LMCACHE_BLOCKING_TIMEOUT_SECS", "3",
            "LMCACHE_EXTRA_CONFIG", "{\"save_only_first_rank\": false, \"nested\": {\"a\": [1]}}",
            "PYTHONHASHSEED", "42");
    assertThat(config.chunkSize()).isEqualTo(512);
    assertThat(config.redisUrl()).contains("redis://cache:6380");
    assertThat(config.remoteSerde()).isEqualTo("kivi");
    assertThat(config.preCachingHashAlgorithm()).isEqualTo("sha256_cbor");
    assertThat(config.saveUnfullChunk()).isTrue();
    assertThat(config.useLayerwise()).isTrue();
    assertThat(config.blockingTimeout()).isEqualTo(Duration.ofSeconds(3));
    assertThat(config.extraConfig()).containsKeys("save_only_first_rank", "nested");
    assertThat(config.saveOnlyFirstRank(true)).isFalse();
    assertThat(config.pythonHashSeed()).contains("42");
  }

  @Test
  void everyKeyIsReadFromTheFile() {
    LmcacheConfig config =
        yaml(
            """
            chunk_size: 128          # tokens
            remote_url: "redis://cache:6380/1"
            remote_serde: naive
            pre_caching_hash_algorithm: sha256_cbor_64bit
            save_unfull_chunk: yes
            use_layerwise: off
            enable_blending: false
            blocking_timeout_secs: 1_0
            local_cpu: true
            extra_config:
              remote_enable_mla_worker_id_as0: false
            """);
    assertThat(config.chunkSize()).isEqualTo(128);
    assertThat(config.redisUrl()).contains("redis://cache:6380/1");
    assertThat(config.saveUnfullChunk()).as("PyYAML reads YAML 1.1's yes as true").isTrue();
    assertThat(config.useLayerwise()).isFalse();
    assertThat(config.blockingTimeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(config.remoteEnableMlaWorkerIdAs0(true)).isFalse();
    assertThat(config.warnings()).isEmpty();
  }

  @Test
  void variablesBeatTheFile() {
    Path file =
        file(
            """
            chunk_size: 128
            remote_url: redis://file
            extra_config: {a: 1, b: 2}
            """);
    LmcacheConfig config =
        env(
            "LMCACHE_CONFIG_FILE", file.toString(),
            "LMCACHE_REMOTE_URL", "redis://env",
            "LMCACHE_EXTRA_CONFIG", "{\"a\": 3}");
    assertThat(config.chunkSize()).isEqualTo(128);
    assertThat(config.redisUrl()).contains("redis://env");
    assertThat(config.extraConfig()).as("replaced, not merged").isEqualTo(Map.of("a", 3));
  }

  @Test
  void aFileThatIsPassedBeatsTheOneOfTheVariable() throws IOException {
    Path other = Files.writeString(dir.resolve("other.yaml"), "chunk_size: 64");
    Map<String, String> env =
        Map.of("LMCACHE_CONFIG_FILE", file("chunk_size: 128").toString(), "PYTHONHASHSEED", "0");
    assertThat(LmcacheConfig.load(env, other).chunkSize()).isEqualTo(64);
  }

  @Test
  void aVariableSetToNothingIsNotSet() {
    assertThat(env("LMCACHE_REMOTE_URL", "", "LMCACHE_CHUNK_SIZE", " ").redisUrl()).isEmpty();
    assertThat(env("LMCACHE_CONFIG_FILE", "").chunkSize()).isEqualTo(256);
  }

  @ParameterizedTest
  @CsvSource({
    "'{\"remote_storage_plugin.redis.redis_url\": \"redis://a\", \"redis_url\": \"redis://b\"}',"
        + " redis://c, redis://a",
    "'{\"redis_url\": \"redis://b\"}', redis://c, redis://b",
    "'{\"redis_url\": \"\"}', redis://c, redis://c",
    "'{}', redis://c, redis://c",
    "'{}', '', redis://localhost:6379",
  })
  void theRedisPluginFindsItsUrlInLmcachesOrder(String extra, String remoteUrl, String expected) {
    LmcacheConfig config =
        env(
            "LMCACHE_REMOTE_STORAGE_PLUGINS", "redis",
            "LMCACHE_EXTRA_CONFIG", extra,
            "LMCACHE_REMOTE_URL", remoteUrl);
    assertThat(config.redisUrl()).contains(expected);
  }

  @Test
  void aRemoteUrlOfPluginRedisIsResolvedToo() {
    assertThat(env("LMCACHE_REMOTE_URL", "plugin://redis").redisUrl())
        .contains("redis://localhost:6379");
    assertThat(
            env(
                    "LMCACHE_REMOTE_URL",
                    "plugin://redis",
                    "LMCACHE_EXTRA_CONFIG",
                    "{\"redis_url\": \"redis://b\"}")
                .redisUrl())
        .contains("redis://b");
  }

  @Test
  void otherPluginsAreIgnoredWithAWarning() {
    LmcacheConfig config =
        env("LMCACHE_REMOTE_STORAGE_PLUGINS", "fs, redis.primary", "LMCACHE_REMOTE_URL", "lm://x");
    assertThat(config.remoteStoragePlugins()).containsExactly("fs", "redis.primary");
    assertThat(config.warnings()).singleElement().asString().contains("\"fs\"");
  }

  @Test
  void blendingAndPdForceUnfullChunks() {
    assertThat(env("LMCACHE_ENABLE_BLENDING", "true").saveUnfullChunk()).isTrue();
    LmcacheConfig pd = env("LMCACHE_ENABLE_PD", "true");
    assertThat(pd.saveUnfullChunk()).isTrue();
    assertThat(pd.warnings()).singleElement().asString().contains("enable_pd");
  }

  @ParameterizedTest
  @CsvSource({
    "LMCACHE_REMOTE_SERDE, cachegen, cachegen",
    "LMCACHE_REMOTE_SERDE, kivi, kivi",
    "LMCACHE_REMOTE_SERDE, zstd, zstd",
    "LMCACHE_USE_LAYERWISE, true, use_layerwise",
    "LMCACHE_PRE_CACHING_HASH_ALGORITHM, xxhash_cbor, xxhash_cbor",
    "LMCACHE_EXTRA_CONFIG, '{\"save_chunk_meta\": false}', save_chunk_meta",
    "LMCACHE_REMOTE_CONFIG_URL, http://config, remote_config_url",
    "LMCACHE_SAVE_UNFULL_CHUNK, yes, LMCACHE_SAVE_UNFULL_CHUNK",
    "PYTHONHASHSEED, random, PYTHONHASHSEED",
  })
  void whatChangesTheWireAndIsNotHonouredIsWarnedOf(String variable, String value, String named) {
    assertThat(env(variable, value).warnings()).singleElement().asString().contains(named);
  }

  @Test
  void theTextFalseIsTrueInExtraConfigAsInPython() {
    assertThat(
            env("LMCACHE_EXTRA_CONFIG", "{\"save_only_first_rank\": \"false\"}")
                .saveOnlyFirstRank(true))
        .isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"twelve", "0", "-256", "256.0", "2147483648", "1__0", "true"})
  void aChunkSizeThatCannotBeMeantIsRefusedByName(String value) {
    assertThatThrownBy(() -> env("LMCACHE_CHUNK_SIZE", value))
        .isInstanceOf(LmcacheConfigException.class)
        .isInstanceOf(LmcacheException.class)
        .hasMessageContaining("LMCACHE_CHUNK_SIZE")
        .hasMessageContaining(value);
  }

  @Test
  void aBadValueInTheFileNamesFileLineAndKey() {
    assertThatThrownBy(() -> yaml("# a comment\nremote_url: redis://x\nchunk_size: many\n"))
        .isInstanceOf(LmcacheConfigException.class)
        .hasMessageContaining("lmcache.yaml:3: chunk_size")
        .hasMessageContaining("many");
    assertThatThrownBy(() -> yaml("chunk_size:\n")).hasMessageContaining("null");
    assertThatThrownBy(() -> yaml("chunk_size: [1]\n")).hasMessageContaining("a list");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "remote_url: 'redis://:s3cr3t@host\nchunk_size: 1",
        "remote_url: redis://:s3cr3t@host\n\tchunk_size: 1",
        "a: *s3cr3t",
        "remote_url: !!python/object:s3cr3t {}",
        "- redis://:s3cr3t@host",
        "redis://:s3cr3t@host",
        "extra_config: redis://:s3cr3t@host",
        "remote_url: {s3cr3t: 1}",
        "---\na: s3cr3t\n---\nb: 1",
      })
  void aBadFileIsRefusedWithoutQuotingIt(String yaml) {
    assertThatThrownBy(() -> yaml(yaml))
        .isInstanceOf(LmcacheConfigException.class)
        .hasMessageContaining("lmcache.yaml")
        .hasNoCause()
        .extracting(Throwable::getMessage)
        .asString()
        .doesNotContain(SECRET);
  }

  @Test
  void aSyntaxErrorNamesItsLineAndColumn() {
    assertThatThrownBy(() -> yaml("a: 1\nb: [1, 2\nc: 3\n"))
        .hasMessageMatching(".*lmcache\\.yaml:3:\\d+: not valid YAML");
  }

  @Test
  void badJsonIsRefusedWithoutQuotingIt() {
    assertThatThrownBy(() -> env("LMCACHE_EXTRA_CONFIG", "{\"redis_url\": s3cr3t}"))
        .isInstanceOf(LmcacheConfigException.class)
        .hasMessageContaining("LMCACHE_EXTRA_CONFIG")
        .hasMessageContaining("line 1")
        .hasNoCause()
        .extracting(Throwable::getMessage)
        .asString()
        .doesNotContain(SECRET);
    assertThatThrownBy(() -> env("LMCACHE_EXTRA_CONFIG", "[1]")).hasMessageContaining("mapping");
  }

  @Test
  void aMissingFileIsNamed() {
    assertThatThrownBy(() -> env("LMCACHE_CONFIG_FILE", "/nowhere/lmcache.yaml"))
        .isInstanceOf(LmcacheConfigException.class)
        .hasMessageContaining("/nowhere/lmcache.yaml");
  }

  @Test
  void aFileThatIsTooLargeIsRefused() throws IOException {
    Path large = dir.resolve("large.yaml");
    Files.write(large, new byte[ConfigFile.MAX_BYTES + 1]);
    assertThatThrownBy(() -> LmcacheConfig.load(Map.of(), large))
        .isInstanceOf(LmcacheConfigException.class)
        .hasMessageContaining("1048576");
  }

  @Test
  void aFileThatIsNoTextIsRefused() throws IOException {
    Path latin =
        Files.write(dir.resolve("latin.yaml"), "a: \u00fc".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> LmcacheConfig.load(Map.of(), latin)).hasMessageContaining("UTF-8");
  }

  @Test
  void anAliasBombIsRefused() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x]\n");
    for (int i = 1; i <= 9; i++) {
      bomb.append("a").append(i).append(": &a").append(i).append(" [");
      for (int k = 0; k < 9; k++) {
        bomb.append(k == 0 ? "" : ", ").append("*a").append(i - 1);
      }
      bomb.append("]\n");
    }
    assertThatThrownBy(() -> yaml(bomb.toString())).isInstanceOf(LmcacheConfigException.class);
    assertThatThrownBy(() -> yaml("a: ".concat("[".repeat(60)).concat("]".repeat(60))))
        .isInstanceOf(LmcacheConfigException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"!!int x", "!!float x", "!!seq x", "!!map [a]", "!!binary '?'"})
  void aValueThatIsNotWhatItsTagSaysIsRefused(String value) {
    assertThatThrownBy(() -> yaml("local_cpu: " + value + "\n"))
        .isInstanceOf(LmcacheConfigException.class);
  }

  @Test
  void aCollectionIsNeverPrintedForItMayHoldItself() {
    assertThatThrownBy(() -> yaml("remote_storage_plugins: &a [[*a]]\n"))
        .isInstanceOf(LmcacheConfigException.class)
        .hasMessageContaining("list of texts");
    assertThat(yaml("use_layerwise: &a [[*a]]\n").warnings())
        .singleElement()
        .asString()
        .contains("use_layerwise is a list, which LMCache reads as false");
  }

  @Test
  void aNumberOfAnyLengthIsRefusedAtOnce() {
    assertThatThrownBy(() -> yaml("chunk_size: '1" + "_1".repeat(100_000) + "'\n"))
        .isInstanceOf(LmcacheConfigException.class)
        .hasMessageContaining("must be a whole number");
  }

  @Test
  void aliasesAreExpandedAsPyYamlDoes() {
    assertThat(yaml("x: &u redis://h\nremote_url: *u\n").redisUrl()).contains("redis://h");
    assertThat(yaml("base: &b {chunk_size: 64}\n<<: *b\n").chunkSize()).isEqualTo(64);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "# nothing\n", "---\n", "false"})
  void anEmptyFileSetsNothing(String yaml) {
    assertThat(yaml(yaml).chunkSize()).isEqualTo(256);
  }

  @Test
  void theLastOfTwoEqualKeysWins() {
    assertThat(yaml("chunk_size: 1\nchunk_size: 2\n").chunkSize()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {":s3cr3t@cache:6379", "redis://:s3\ncr3t@cache", "redis://:a@s3cr3t@cache"})
  void noCredentialIsShownOfAUrlThatIsNone(String url) {
    assertThat(env("LMCACHE_REMOTE_URL", url).toString())
        .contains("***@cache")
        .doesNotContain("cr3t");
  }

  @Test
  void noCredentialIsShown() {
    LmcacheConfig config =
        env(
            "LMCACHE_REMOTE_URL", "redis://user:s3cr3t@ho@host:1/0?password=s3cr3t&x=1",
            "LMCACHE_REMOTE_STORAGE_PLUGINS", "redis",
            "LMCACHE_EXTRA_CONFIG", "{\"redis_url\": \"rediss://:s3cr3t/s3cr3t@other\"}");
    assertThat(config.remoteUrl().orElseThrow()).contains(SECRET);
    assertThat(config.toString()).contains("rediss://***@other").doesNotContain(SECRET);
    assertThat(config.warnings())
        .singleElement()
        .asString()
        .contains("rediss://***@other")
        .doesNotContain(SECRET);
    assertThat(Credentials.mask(config.remoteUrl().orElseThrow()))
        .isEqualTo("redis://***@host:1/0?password=***&x=1");
  }
}
