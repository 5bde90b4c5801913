/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.config;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What Python LMCache's own configuration says of a shared Redis, so that a JVM beside it needs no
 * second one.
 *
 * <p>Read as {@code load_config_with_overrides} reads it (lmcache/v1/config_base.py and
 * lmcache/v1/config.py, LMCache 0.5.6). From the strongest to the weakest:
 *
 * <ol>
 *   <li>the variable {@code LMCACHE_} + the upper-case name of a key, {@code LMCACHE_EXTRA_CONFIG}
 *       being JSON, which replaces the file's {@code extra_config} as a whole;
 *   <li>the YAML file that {@code LMCACHE_CONFIG_FILE} names, or that the caller passes: at most 1
 *       MiB, 50 levels of nesting, 50 aliases of collections;
 *   <li>LMCache's defaults.
 * </ol>
 *
 * <p>Two things are stricter than LMCache. A number that is none is refused, where LMCache logs a
 * warning and goes on with its default: with another chunk size than the one that was meant no
 * lookup ever hits. And a variable that is set to nothing counts as not set.
 *
 * <p>Keys that change the wire, or the keys of chunks, and that a caller has to act upon are listed
 * by {@link #warnings()}. Immutable. {@link #toString()}, warnings and exceptions never show a
 * credential; {@link #remoteUrl()} and {@link #redisUrl()} do.
 */
public final class LmcacheConfig {

  /** LMCache's {@code chunk_size} where none is set: tokens of a chunk. */
  public static final int DEFAULT_CHUNK_SIZE = 256;

  /** LMCache's {@code blocking_timeout_secs} where none is set. */
  public static final Duration DEFAULT_BLOCKING_TIMEOUT = Duration.ofSeconds(10);

  /** Where {@code plugin://redis} goes when nothing says where (redis_adapter.py). */
  public static final String DEFAULT_REDIS_URL = "redis://localhost:6379";

  private static final String ENV_PREFIX = "LMCACHE_";
  private static final String CONFIG_FILE = "LMCACHE_CONFIG_FILE";
  private static final String REDIS_PLUGIN_URL = "plugin://redis";
  private static final Set<String> KNOWN_HASHES =
      Set.of("builtin", "sha256_cbor", "sha256_cbor_64bit");

  /** The keys of LMCache that matter to a shared Redis; all others are left to LMCache. */
  private static final List<String> KEYS =
      List.of(
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
          "extra_config");

  private final int chunkSize;
  private final @Nullable String remoteUrl;
  private final List<String> remoteStoragePlugins;
  private final String remoteSerde;
  private final String preCachingHashAlgorithm;
  private final boolean saveUnfullChunk;
  private final boolean useLayerwise;
  private final boolean enableBlending;
  private final Duration blockingTimeout;
  private final Map<String, Object> extraConfig;
  private final @Nullable String pythonHashSeed;
  private final List<String> warnings;

  private LmcacheConfig(Map<String, Setting> set, @Nullable String pythonHashSeed) {
    List<String> notes = new ArrayList<>();
    this.pythonHashSeed = pythonHashSeed;
    Setting setting = set.get("chunk_size");
    chunkSize = setting == null ? DEFAULT_CHUNK_SIZE : setting.toInt(1);
    setting = set.get("blocking_timeout_secs");
    blockingTimeout =
        setting == null ? DEFAULT_BLOCKING_TIMEOUT : Duration.ofSeconds(setting.toInt(1));
    remoteUrl = optionalText(set.get("remote_url"));
    setting = set.get("remote_storage_plugins");
    remoteStoragePlugins =
        setting == null || setting.value() == null ? List.of() : setting.toTextList();
    setting = set.get("remote_serde");
    remoteSerde = setting == null ? "naive" : setting.toText();
    setting = set.get("pre_caching_hash_algorithm");
    preCachingHashAlgorithm = setting == null ? "builtin" : setting.toText();
    useLayerwise = bool(set, "use_layerwise", notes);
    enableBlending = bool(set, "enable_blending", notes);
    boolean enablePd = bool(set, "enable_pd", notes);
    boolean unfull = bool(set, "save_unfull_chunk", notes);
    // _validate_config in lmcache/v1/config.py: either of the two forces it.
    saveUnfullChunk = unfull || enableBlending || enablePd;
    extraConfig = extraConfig(set.get("extra_config"));

    warnOfForced(notes, unfull, enablePd);
    warnOfPayload(notes);
    warnOfKeys(notes);
    warnOfSource(notes, set.get("remote_config_url"));
    warnings = Collections.unmodifiableList(notes);
  }

  /**
   * Reads the configuration of an environment.
   *
   * @param environment the variables, as {@link System#getenv()} has them
   * @return the configuration
   * @throws LmcacheConfigException if the file cannot be read, or a value cannot be meant
   */
  public static LmcacheConfig load(Map<String, String> environment) {
    return load(environment, null);
  }

  /**
   * Reads the configuration of an environment and a file.
   *
   * @param environment the variables, as {@link System#getenv()} has them
   * @param file the YAML file; null for the one that {@code LMCACHE_CONFIG_FILE} names, if any
   * @return the configuration
   * @throws LmcacheConfigException if the file cannot be read, or a value cannot be meant
   */
  public static LmcacheConfig load(Map<String, String> environment, @Nullable Path file) {
    Objects.requireNonNull(environment, "environment");
    Map<String, Setting> set = new HashMap<>();
    Path source = file != null ? file : configFile(environment);
    if (source != null) {
      set.putAll(ConfigFile.read(source));
    }
    for (String key : KEYS) {
      String variable = ENV_PREFIX + key.toUpperCase(Locale.ROOT);
      String text = environment.get(variable);
      if (text != null && !text.isBlank()) {
        set.put(key, new Setting(variable, PythonString.unquote(text)));
      }
    }
    String seed = environment.get("PYTHONHASHSEED");
    return new LmcacheConfig(set, seed == null || seed.isEmpty() ? null : seed);
  }

  private static @Nullable Path configFile(Map<String, String> environment) {
    String name = environment.get(CONFIG_FILE);
    if (name == null || name.isEmpty()) {
      return null;
    }
    try {
      return Path.of(name);
    } catch (InvalidPathException e) {
      throw new LmcacheConfigException(CONFIG_FILE + ": not a path: \"" + name + "\"");
    }
  }

  private static @Nullable String optionalText(@Nullable Setting setting) {
    if (setting == null || setting.value() == null) {
      return null;
    }
    String text = setting.toText();
    return text.isEmpty() ? null : text;
  }

  private static boolean bool(Map<String, Setting> set, String key, List<String> warnings) {
    Setting setting = set.get(key);
    return setting != null && setting.toBool(warnings);
  }

  private static Map<String, Object> extraConfig(@Nullable Setting setting) {
    Object value = setting == null ? null : setting.value();
    if (setting == null || value == null || value.equals("")) {
      return Map.of();
    }
    if (value instanceof String text) {
      value = json(setting, text);
    }
    if (value == null) {
      return Map.of();
    }
    if (!(value instanceof Map<?, ?> mapping)) {
      throw setting.refused("must be a mapping (in a variable: a JSON object)");
    }
    Map<String, Object> extra = new LinkedHashMap<>();
    mapping.forEach(
        (k, v) -> {
          if (k instanceof String key && v != null) {
            extra.put(key, v);
          }
        });
    return Collections.unmodifiableMap(extra);
  }

  private static @Nullable Object json(Setting setting, String text) {
    try {
      return new ObjectMapper().readValue(text, Object.class);
    } catch (JsonProcessingException e) {
      // Jackson's message quotes the text, in which a Redis URL may stand.
      JsonLocation at = e.getLocation();
      String place =
          at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
      throw setting.refused("not valid JSON" + place);
    }
  }

  private void warnOfForced(List<String> notes, boolean unfull, boolean enablePd) {
    if (saveUnfullChunk && !unfull) {
      notes.add(
          "save_unfull_chunk is taken as true, since "
              + (enablePd ? "enable_pd" : "enable_blending")
              + " forces it");
    }
  }

  private void warnOfPayload(List<String> notes) {
    switch (remoteSerde) {
      case "naive" -> {}
      case "kivi" ->
          notes.add("remote_serde kivi is naive in all but name: LMCache writes plain tensors");
      case "cachegen" ->
          notes.add(
              "remote_serde cachegen is not honoured: LMCache writes pickled CUDA tensors, which"
                  + " are handed out here as opaque bytes, and it cannot read the plain tensors that"
                  + " are written here");
      default ->
          notes.add("remote_serde \"" + remoteSerde + "\" is unknown to LMCache 0.5.6 and ignored");
    }
    Object saveMeta = extraConfig.get("save_chunk_meta");
    if (saveMeta != null && !isTruthy(saveMeta)) {
      notes.add(
          "extra_config.save_chunk_meta: false has no effect on redis://, here as in LMCache: the"
              + " metadata key is always written");
    }
  }

  private void warnOfKeys(List<String> notes) {
    if (useLayerwise) {
      notes.add(
          "use_layerwise: LMCache stores one entry for each layer; split the keys of chunks into"
              + " those of layers before a put or get");
    }
    if (enableBlending) {
      notes.add(
          "enable_blending: LMCache cuts prompts at separators, so the keys of fixed chunks do not"
              + " match its entries");
    }
    if (!KNOWN_HASHES.contains(preCachingHashAlgorithm)) {
      notes.add(
          "pre_caching_hash_algorithm \""
              + preCachingHashAlgorithm
              + "\" cannot be reproduced: known are builtin, sha256_cbor and sha256_cbor_64bit");
    }
    if (pythonHashSeed == null || pythonHashSeed.equals("random")) {
      notes.add(
          "PYTHONHASHSEED is "
              + (pythonHashSeed == null ? "not set" : "random")
              + ": vLLM then starts every process with another hash, and the keys of one process"
              + " are those of no other");
    }
  }

  private void warnOfSource(List<String> notes, @Nullable Setting remoteConfig) {
    for (String plugin : remoteStoragePlugins) {
      if (!isRedisPlugin(plugin)) {
        notes.add("remote_storage_plugins: \"" + plugin + "\" is no Redis and is ignored");
      }
    }
    String url = redisUrl().orElse(null);
    if (url != null && remoteUrl != null && !isPluginUrl(remoteUrl) && !url.equals(remoteUrl)) {
      notes.add(
          "LMCache uses both remote_storage_plugins and remote_url; only "
              + Credentials.mask(url)
              + " is used here");
    }
    if (optionalText(remoteConfig) != null) {
      notes.add("remote_config_url is not asked: what LMCache takes from there is not seen here");
    }
  }

  /**
   * Tokens of a chunk.
   *
   * @return {@code chunk_size}, 1 or more
   */
  public int chunkSize() {
    return chunkSize;
  }

  /**
   * The URL exactly as configured, with its credentials. See {@link #redisUrl()} for the one to
   * connect to.
   *
   * @return {@code remote_url}, or empty if there is none
   */
  public Optional<String> remoteUrl() {
    return Optional.ofNullable(remoteUrl);
  }

  /**
   * The plugins by which LMCache 0.4.6 and newer prefers to be told of its remote stores.
   *
   * @return {@code remote_storage_plugins}
   */
  public List<String> remoteStoragePlugins() {
    return remoteStoragePlugins;
  }

  /**
   * The URL to connect to, with its credentials. A plugin whose name begins with {@code redis}, or
   * {@code plugin://redis} as the {@code remote_url}, stands for {@code
   * extra_config["remote_storage_plugin.redis.redis_url"]}, else {@code extra_config["redis_url"]},
   * else {@code remote_url}, else {@value #DEFAULT_REDIS_URL}
   * (lmcache/v1/storage_backend/connector/redis_adapter.py, LMCache 0.5.6). Without either it is
   * {@code remote_url}, whatever its scheme.
   *
   * @return the URL, or empty if no remote store is configured
   */
  public Optional<String> redisUrl() {
    boolean plugin = remoteStoragePlugins.stream().anyMatch(LmcacheConfig::isRedisPlugin);
    boolean pluginUrl = remoteUrl != null && isPluginUrl(remoteUrl);
    if (!plugin && !pluginUrl) {
      return Optional.ofNullable(remoteUrl);
    }
    for (String key : List.of("remote_storage_plugin.redis.redis_url", "redis_url")) {
      Object url = extraConfig.get(key);
      if (url instanceof String text && !text.isEmpty()) {
        return Optional.of(text);
      }
    }
    return Optional.of(remoteUrl == null || pluginUrl ? DEFAULT_REDIS_URL : remoteUrl);
  }

  /** {@code RedisConnectorAdapter.can_parse} asks for a prefix, so {@code redis.primary} counts. */
  private static boolean isRedisPlugin(String name) {
    return isPluginUrl("plugin://" + name);
  }

  private static boolean isPluginUrl(String url) {
    return url.startsWith(REDIS_PLUGIN_URL);
  }

  /**
   * How LMCache turns tensors into bytes.
   *
   * @return {@code remote_serde}; only {@code naive} and its synonym {@code kivi} are honoured
   */
  public String remoteSerde() {
    return remoteSerde;
  }

  /**
   * The hash that names chunks.
   *
   * @return {@code pre_caching_hash_algorithm}, as configured
   */
  public String preCachingHashAlgorithm() {
    return preCachingHashAlgorithm;
  }

  /**
   * Whether a last chunk shorter than {@link #chunkSize()} has a key.
   *
   * @return {@code save_unfull_chunk}, which {@code enable_blending} and {@code enable_pd} force
   */
  public boolean saveUnfullChunk() {
    return saveUnfullChunk;
  }

  /**
   * Whether LMCache stores one entry for each layer of a chunk.
   *
   * @return {@code use_layerwise}
   */
  public boolean useLayerwise() {
    return useLayerwise;
  }

  /**
   * Whether LMCache cuts prompts at separators.
   *
   * @return {@code enable_blending}
   */
  public boolean enableBlending() {
    return enableBlending;
  }

  /**
   * How long LMCache waits for a get; it waits for a put without limit.
   *
   * @return {@code blocking_timeout_secs}
   */
  public Duration blockingTimeout() {
    return blockingTimeout;
  }

  /**
   * Whether only rank 0 writes and keys carry world size 1.
   *
   * @param useMla whether the model has multi-head latent attention; without it the answer is no
   * @return {@code extra_config.save_only_first_rank}, true where it is not set
   */
  public boolean saveOnlyFirstRank(boolean useMla) {
    return useMla && extraFlag("save_only_first_rank", true);
  }

  /**
   * Whether chunks are read under worker id 0, whatever the rank.
   *
   * @param useMla whether the model has multi-head latent attention
   * @return {@code extra_config.remote_enable_mla_worker_id_as0}, {@code useMla} where it is not
   *     set; never for a model without it
   */
  public boolean remoteEnableMlaWorkerIdAs0(boolean useMla) {
    return useMla && extraFlag("remote_enable_mla_worker_id_as0", true);
  }

  private boolean extraFlag(String key, boolean whenAbsent) {
    Object value = extraConfig.get(key);
    return value == null ? whenAbsent : isTruthy(value);
  }

  /** Python's truth of a value: the text "false" is true. */
  private static boolean isTruthy(Object value) {
    if (value instanceof Boolean bool) {
      return bool;
    }
    if (value instanceof Number number) {
      return number.doubleValue() != 0;
    }
    if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    }
    if (value instanceof Collection<?> collection) {
      return !collection.isEmpty();
    }
    return !value.toString().isEmpty();
  }

  /**
   * What LMCache's connectors and plugins are told beside its own keys. May carry credentials.
   *
   * @return {@code extra_config}, unmodifiable, without entries that are null
   */
  public Map<String, Object> extraConfig() {
    return extraConfig;
  }

  /**
   * The seed from which vLLM derives the hash that every chain of chunks starts with.
   *
   * @return {@code PYTHONHASHSEED} as text, or empty if it is not set
   */
  public Optional<String> pythonHashSeed() {
    return Optional.ofNullable(pythonHashSeed);
  }

  /**
   * What of the configuration changes the wire or the keys and is not honoured, or needs the
   * caller's hand. One sentence each, without credentials.
   *
   * @return an unmodifiable list
   */
  public List<String> warnings() {
    return warnings;
  }

  /** Returns what is configured, with the credentials masked and without the extra config. */
  @Override
  public String toString() {
    return "LmcacheConfig[chunk_size="
        + chunkSize
        + ", redis_url="
        + redisUrl().map(Credentials::mask).orElse("none")
        + ", remote_serde="
        + remoteSerde
        + ", pre_caching_hash_algorithm="
        + preCachingHashAlgorithm
        + ", save_unfull_chunk="
        + saveUnfullChunk
        + ", use_layerwise="
        + useLayerwise
        + ", PYTHONHASHSEED="
        + (pythonHashSeed == null ? "not set" : pythonHashSeed)
        + "]";
  }
}
