/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static java.util.stream.Collectors.toList;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.KvChunk;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * One chunk that both sides store.
 *
 * @param name for the name of its test
 * @param feature the line of the table that it belongs to
 * @param since the first release that can store it
 * @param key its key
 * @param metadata what it is
 * @param seed of its payload
 */
record Sample(
    String name, Feature feature, String since, ChunkKey key, RemoteMetadata metadata, int seed) {

  private static final String MODEL = "meta-llama/Llama-3.1-8B-Instruct";
  private static final String FIRST = "0.3.1";
  private static final int LARGE = 16 << 20;

  /** A hash that LMCache keeps as bytes (0.3.13 to 0.4.5). */
  private static final int DIGEST_DIGITS = 64;

  /** What a session must be opened with, for a payload of several groups. */
  int groups() {
    return metadata.groups();
  }

  int length() {
    return Math.toIntExact(metadata.length());
  }

  /** The key as a release writes it. */
  String key(Release release) {
    return KeyFormat.of(release.version()).format(key);
  }

  boolean isLarge() {
    return length() > LARGE;
  }

  /** Whether the release's own connector can't store this, and what it says then. */
  Optional<String> refusal(Release release) {
    if (feature == Feature.OPAQUE && release.isAtLeast("0.3.12") && !release.isAtLeast("0.5.6")) {
      return Optional.of("ValueError: zip() argument 2 is shorter than argument 1");
    }
    if (release.isAtLeast(since)) {
      return Optional.empty();
    }
    return Optional.of(
        switch (feature) {
          case GROUPS -> "ModuleNotFoundError: No module named 'lmcache.v1.kv_layer_groups'";
          case EC_TD, HS_TD -> "KeyError: '" + metadata.format() + "'";
          default -> "AssertionError: Shape dimension should be 4";
        });
  }

  String sha256() {
    return Payloads.sha256(ByteBuffer.wrap(Payloads.bytes(length(), seed)));
  }

  /** The chunk, to be closed by the caller. */
  KvChunk chunk(HostMemory memory) {
    return new KvChunk(key, metadata, Payloads.lease(memory, length(), seed));
  }

  /** The fields of a put request to the peer. */
  ObjectNode request() {
    ObjectNode request =
        Json.object("key", keyFields(key), "payload", Payloads.request(length(), seed));
    if (metadata.format() == MemoryFormat.BINARY_BUFFER) {
      return Json.put(request, "opaque", true);
    }
    return Json.put(
        request,
        "fmt",
        metadata.format().name(),
        "shapes",
        shapes(metadata),
        "dtypes",
        dtypes(metadata));
  }

  static List<List<Long>> shapes(RemoteMetadata metadata) {
    return metadata.shapes().stream()
        .map(s -> LongStream.range(0, s.rank()).map(i -> s.dim((int) i)).boxed().collect(toList()))
        .collect(toList());
  }

  static List<@Nullable String> dtypes(RemoteMetadata metadata) {
    List<@Nullable String> names = new ArrayList<>();
    for (DType dtype : metadata.effectiveDtypes()) {
      names.add(dtype == DType.NONE ? null : dtype.torchName());
    }
    return names;
  }

  /** A key as the peer takes it, by its fields. */
  static ObjectNode keyFields(ChunkKey key) {
    List<List<String>> tags = new ArrayList<>();
    key.tags().forEach((name, value) -> tags.add(List.of(name, value)));
    return Json.object(
        "model",
        key.modelName(),
        "world_size",
        key.worldSize(),
        "worker_id",
        key.workerId(),
        key.chunkHash().length() == DIGEST_DIGITS ? "hash_bytes" : "hash",
        key.chunkHash(),
        "dtype",
        key.dtype() == DType.NONE ? null : key.dtype().torchName(),
        "layer_id",
        key instanceof LayerCacheEngineKey layer ? layer.layerId() : null,
        "tags",
        tags.isEmpty() ? null : tags);
  }

  /** The groups of a session that stores this sample. */
  JsonNode sessionGroups() {
    List<JsonNode> groups = new ArrayList<>();
    for (DType dtype : metadata.dtypes()) {
      groups.add(Json.object("layers", 1, "heads", 1, "head_size", 8, "dtype", dtype.torchName()));
    }
    return Json.node(groups);
  }

  /** Every sample; those of tens of MiB are for the installed release alone. */
  static List<Sample> all() {
    List<Sample> all = new ArrayList<>();
    everyDtype(all);
    sizes(all);
    keys(all);
    formats(all);
    groups(all);
    return all;
  }

  private static void everyDtype(List<Sample> all) {
    for (DType dtype : DType.values()) {
      if (dtype != DType.NONE && dtype.wireCode().isPresent()) {
        add(
            all,
            Feature.EVERY_DTYPE,
            FIRST,
            key(dtype),
            MemoryFormat.KV_2LTD,
            dtype,
            2,
            4,
            16,
            128);
      }
    }
    add(
        all,
        Feature.PARTIAL,
        FIRST,
        key(DType.BFLOAT16),
        MemoryFormat.KV_2LTD,
        DType.BFLOAT16,
        2,
        4,
        5,
        128);
  }

  private static void sizes(List<Sample> all) {
    sized(all, FIRST, DType.UINT8, 1, 1, 1, 1);
    sized(all, FIRST, DType.UINT8, 1, 1, 1, (1 << 20) + 1);
    // A chunk of Llama-3.1-8B, 32 MiB, and one of Llama-3.3-70B, 80 MiB.
    sized(all, Release.CURRENT.name(), DType.BFLOAT16, 2, 32, 256, 1024);
    sized(all, Release.CURRENT.name(), DType.BFLOAT16, 2, 80, 256, 1024);
  }

  private static void sized(List<Sample> all, String since, DType dtype, long... shape) {
    add(all, Feature.SIZES, since, key(dtype), MemoryFormat.KV_2LTD, dtype, shape);
  }

  private static void keys(List<Sample> all) {
    for (String hash :
        List.of(
            "-49bb1f3b1f8c2a6e",
            "-8000000000000000",
            "-1",
            "0",
            "ffffffffffffffff",
            "8000000000000001")) {
      small(all, Feature.HASHES, CacheEngineKey.of(MODEL, 8, 3, hash, DType.FLOAT16));
    }
    Map<String, String> tags = new LinkedHashMap<>();
    tags.put("user", "z");
    tags.put("app", "1%2");
    tags.put("größe", "");
    CacheEngineKey tagged = CacheEngineKey.of(MODEL, 1, 0, "a1", DType.FLOAT16).withTags(tags);
    small(all, Feature.TAGS, tagged);
    add(
        all,
        Feature.LAYERWISE,
        "0.4.4",
        new LayerCacheEngineKey(tagged, 31),
        MemoryFormat.KV_T2D,
        DType.FLOAT16,
        16,
        2,
        8);
  }

  private static void small(List<Sample> all, Feature feature, ChunkKey key) {
    add(all, feature, FIRST, key, MemoryFormat.KV_2LTD, DType.FLOAT16, 2, 1, 16, 8);
  }

  private static void formats(List<Sample> all) {
    DType dtype = DType.BFLOAT16;
    MemoryFormat mla = MemoryFormat.KV_MLA_FMT;
    add(all, Feature.MLA, FIRST, key(dtype), mla, dtype, 1, 4, 16, 576);
    add(all, Feature.LAYERWISE, "0.4.4", layer(0), MemoryFormat.KV_T2D, dtype, 16, 2, 128);
    add(all, Feature.LAYERWISE, "0.4.4", layer(11), MemoryFormat.KV_2TD, dtype, 2, 16, 128);
    add(all, Feature.LAYERWISE, "0.4.4", layer(60), mla, dtype, 16, 576);
    add(all, Feature.EC_TD, "0.4.5", key(dtype), MemoryFormat.EC_TD, dtype, 16, 128);
    add(all, Feature.HS_TD, "0.5.1", key(dtype), MemoryFormat.HS_TD, dtype, 16, 128);
    MemoryFormat opaque = MemoryFormat.BINARY_BUFFER;
    add(all, Feature.OPAQUE, FIRST, key(dtype), opaque, DType.NONE, 77, 0, 0, 0);
  }

  private static void groups(List<Sample> all) {
    List<DType> dtypes = List.of(DType.BFLOAT16, DType.FLOAT32, DType.UINT8, DType.FLOAT8_E5M2);
    Shape shape = Shape.of(2, 1, 4, 8);
    for (int count = 2; count <= dtypes.size(); count++) {
      RemoteMetadata metadata =
          RemoteMetadata.of(
              MemoryFormat.KV_2LTD,
              LongStream.range(0, count).mapToObj(i -> shape).toList(),
              dtypes.subList(0, count));
      all.add(
          new Sample(
              count + " groups",
              Feature.GROUPS,
              "0.3.12",
              CacheEngineKey.of(MODEL, 1, 0, "6" + count, DType.BFLOAT16),
              metadata,
              count));
    }
  }

  private static CacheEngineKey key(DType dtype) {
    return CacheEngineKey.of(MODEL, 1, 0, 0x5eed, dtype);
  }

  private static LayerCacheEngineKey layer(int layer) {
    return new LayerCacheEngineKey(key(DType.BFLOAT16), layer);
  }

  private static void add(
      List<Sample> all,
      Feature feature,
      String since,
      ChunkKey key,
      MemoryFormat format,
      DType dtype,
      long... shape) {
    RemoteMetadata metadata = RemoteMetadata.of(format, Shape.of(shape), dtype);
    String name = format + " " + dtype.torchName() + " " + Shape.of(shape) + " " + key;
    all.add(new Sample(name, feature, since, key, metadata, all.size()));
  }

  @Override
  public String toString() {
    return name;
  }
}
