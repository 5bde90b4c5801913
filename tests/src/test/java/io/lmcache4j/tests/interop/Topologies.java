/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.function.Executable;

/** The other ways to be connected, as far as a release has them. */
final class Topologies {

  private static final String MODEL = "topology";

  /** One database on each side of TLS. */
  private static final int JAVA = 1;

  private static final int PYTHON = 2;

  private static final int BATCH = 4;

  private final Release release;
  private final InteropRun run;
  private final PythonPeer peer;
  private final CompatibilityTable table;
  private final List<DynamicTest> tests = new ArrayList<>();

  Topologies(Release release, InteropRun run, PythonPeer peer) {
    this.release = release;
    this.run = run;
    this.peer = peer;
    this.table = run.table();
  }

  List<DynamicTest> tests() {
    tls();
    cluster();
    sentinel();
    resp();
    valkey();
    return tests;
  }

  private void add(Feature feature, String name, Executable test) {
    tests.add(dynamicTest(feature.title + " " + name, test));
  }

  private void proven(Feature feature) {
    feature.directions().forEach(direction -> table.proven(feature, direction, release));
  }

  private void absent(Feature feature, String since) {
    add(feature, "is not there", () -> table.absent(feature, release, "came in " + since));
  }

  private Path[] paths() {
    return release.isCurrent() ? Path.values() : new Path[] {Path.AUTO};
  }

  private void tls() {
    for (Path path : paths()) {
      for (Sample sample : samples(path)) {
        add(
            Feature.REDISS,
            path + " " + sample,
            () -> {
              TlsRedis redis = run.tls();
              TwoSides sides = new TwoSides(release, peer, redis.url(JAVA), redis.url(PYTHON));
              try (RawRedis java = redis.raw(JAVA);
                  RawRedis python = redis.raw(PYTHON)) {
                sides.roundTrip(sample, path, java, python);
              }
              proven(Feature.REDISS);
            });
      }
    }
  }

  private void cluster() {
    if (!release.isAtLeast("0.3.9")) {
      absent(Feature.CLUSTER, "0.3.9");
      return;
    }
    for (Path path : paths()) {
      for (Sample sample : samples(path)) {
        add(
            Feature.CLUSTER,
            path + " " + sample,
            () -> {
              try (RawRedis raw = run.cluster().raw()) {
                sides(clusterPlace()).takeTurns(sample, path, raw);
              }
              proven(Feature.CLUSTER);
            });
      }
    }
    if (release.isCurrent()) {
      KvGeometry geometry = small(DType.BFLOAT16);
      add(
          Feature.CLUSTER,
          "batches and lookup",
          () -> {
            try (RawRedis raw = run.cluster().raw()) {
              batch(clusterPlace(), batch(Feature.CLUSTER, geometry), raw);
            }
          });
    }
  }

  private Place clusterPlace() {
    return Place.of("redis-cluster://" + run.cluster().hosts());
  }

  /**
   * What LMCache does with Sentinel is asserted by {@link DeviationTest} for the installed release,
   * and that nothing is written by it here for each.
   */
  private void sentinel() {
    add(
        Feature.SENTINEL,
        "writes nothing",
        () -> {
          Sample sample = Sample.all().get(0);
          Place place = Place.of(run.sentinel().url());
          try (RawRedis raw = new RawRedis(run.url(0)).flush()) {
            assertThat(sides(place).putByPython(sample).get("ok").booleanValue()).isTrue();
            assertThat(raw.dump()).isEmpty();
          }
          table.cannot(
              Feature.SENTINEL, release, "LMCache writes nothing and reads nothing, below");
        });
  }

  private void resp() {
    if (!release.isAtLeast("0.3.15")) {
      absent(Feature.RESP, "0.3.15");
      return;
    }
    String url = "resp://127.0.0.1:" + run.redis().port();
    JsonNode extra = Json.object("save_chunk_meta", false, "resp_num_threads", 2);
    fullChunks(Feature.RESP, url, url, extra, run.url(0));
  }

  private void valkey() {
    if (!release.isAtLeast("0.3.9")) {
      absent(Feature.VALKEY, "0.3.9");
      return;
    }
    String url = "valkey://127.0.0.1:" + run.redis().port();
    if (!release.isAtLeast("0.4.3")) {
      valkeyPair(url);
      return;
    }
    fullChunks(Feature.VALKEY, url, url, glide("standalone"), run.url(0));
    if (release.isCurrent()) {
      add(
          Feature.VALKEY,
          "in a cluster",
          () -> {
            LocalCluster cluster = run.cluster();
            KvGeometry geometry = small(DType.BFLOAT16);
            Place place =
                Place.of(
                    "valkey://" + cluster.seed() + "?cluster=true",
                    "valkey://" + cluster.seed(),
                    glide("cluster"),
                    geometry);
            try (RawRedis raw = cluster.raw()) {
              for (Path path : paths()) {
                sides(place).takeTurns(fullChunk(Feature.VALKEY, geometry, 0), path, raw);
              }
              batch(place, batch(Feature.VALKEY, geometry), raw);
            }
          });
    }
  }

  /** Two keys with a colon, as 0.4.2 and older have them. */
  private void valkeyPair(String url) {
    JsonNode reason = peer.info().get("not_imported").get("valkey_glide_async");
    if (reason != null) {
      String text = "its client can't be loaded: " + reason.textValue();
      add(Feature.VALKEY, "can't", () -> table.cannot(Feature.VALKEY, release, text));
      return;
    }
    Place place =
        new Place(url + "?layout=pair", url, null, null, "", List.of(":kv_bytes", ":metadata"));
    for (Sample sample : samples(Path.AUTO)) {
      add(
          Feature.VALKEY,
          "in two keys, " + sample,
          () -> {
            try (RawRedis raw = new RawRedis(run.url(0))) {
              sides(place).takeTurns(sample, Path.AUTO, raw);
            }
            proven(Feature.VALKEY);
          });
    }
    add(Feature.VALKEY, "in two keys, in a cluster", this::valkeyPairInCluster);
  }

  /** In a cluster braces keep the two keys on one node. */
  private void valkeyPairInCluster() {
    String seed = "valkey://" + run.cluster().seed();
    Place place =
        new Place(
            seed + "?layout=pair&cluster=true",
            seed,
            Json.object("valkey_mode", "cluster"),
            null,
            "{",
            List.of("}:kv_bytes", "}:metadata"));
    try (RawRedis raw = run.cluster().raw()) {
      sides(place).takeTurns(Sample.all().get(0), Path.AUTO, raw);
    }
    proven(Feature.VALKEY);
  }

  private static JsonNode glide(String mode) {
    return Json.object("save_chunk_meta", false, "valkey_num_workers", 2, "valkey_mode", mode);
  }

  /** Where there is no header, each side has to know what a chunk is. */
  private void fullChunks(
      Feature feature, String javaUrl, String pythonUrl, JsonNode extraConfig, String rawUrl) {
    for (KvGeometry geometry : geometries()) {
      Place place = Place.of(javaUrl, pythonUrl, extraConfig, geometry);
      for (Path path : paths()) {
        add(
            feature,
            path + " " + geometry.chunkFormat() + " " + geometry.chunkShape() + geometry.dtype(),
            () -> {
              try (RawRedis raw = new RawRedis(rawUrl)) {
                sides(place).takeTurns(fullChunk(feature, geometry, 0), path, raw);
              }
              proven(feature);
            });
      }
    }
    if (release.isCurrent()) {
      KvGeometry geometry = small(DType.BFLOAT16);
      Place place = Place.of(javaUrl, pythonUrl, extraConfig, geometry);
      add(
          feature,
          "batches, lookup, hashes and tags",
          () -> {
            try (RawRedis raw = new RawRedis(rawUrl)) {
              batch(place, batch(feature, geometry), raw);
            }
          });
    }
  }

  private TwoSides sides(Place place) {
    return new TwoSides(release, peer, place, place);
  }

  /** Every sample that the release can store, or the first of each feature. */
  private List<Sample> samples(Path path) {
    Set<Feature> seen = EnumSet.noneOf(Feature.class);
    List<Sample> samples = new ArrayList<>();
    for (Sample sample : Sample.all()) {
      if (sample.refusal(release).isEmpty()
          && (seen.add(sample.feature()) || (release.isCurrent() && path == Path.AUTO))) {
        samples.add(sample);
      }
    }
    return samples;
  }

  private static KvGeometry small(DType dtype) {
    return new KvGeometry(4, 2, 64, false, dtype, 1, 16);
  }

  private List<KvGeometry> geometries() {
    List<KvGeometry> geometries = new ArrayList<>();
    geometries.add(small(DType.BFLOAT16));
    geometries.add(new KvGeometry(4, 1, 576, true, DType.BFLOAT16, 1, 16));
    if (release.isCurrent()) {
      for (DType dtype : DType.values()) {
        if (dtype != DType.NONE && dtype != DType.BFLOAT16 && dtype.wireCode().isPresent()) {
          geometries.add(small(dtype));
        }
      }
      geometries.add(KvGeometry.LLAMA_3_1_8B);
      geometries.add(KvGeometry.LLAMA_3_3_70B);
    }
    return geometries;
  }

  private static Sample fullChunk(Feature feature, KvGeometry geometry, int number) {
    CacheEngineKey key = CacheEngineKey.of(MODEL, 1, 0, 0x70b0L + number, geometry.dtype());
    return fullChunk(feature, geometry, key, number);
  }

  private static Sample fullChunk(
      Feature feature, KvGeometry geometry, CacheEngineKey key, int number) {
    RemoteMetadata metadata =
        RemoteMetadata.of(geometry.chunkFormat(), geometry.chunkShape(), geometry.dtype());
    return new Sample("chunk " + number, feature, "0.3.9", key, metadata, number);
  }

  /** Chunks with every kind of key: negative and unsigned hashes, tags. */
  private static List<Sample> batch(Feature feature, KvGeometry geometry) {
    DType dtype = geometry.dtype();
    List<CacheEngineKey> keys =
        List.of(
            CacheEngineKey.of(MODEL, 1, 0, 0xba7c, dtype),
            CacheEngineKey.of(MODEL, 1, 0, "-49bb1f3b1f8c2a6e", dtype),
            CacheEngineKey.of(MODEL, 8, 3, "ffffffffffffffff", dtype),
            CacheEngineKey.of(MODEL, 1, 0, 7, dtype).withTags(Map.of("user", "größe%1")));
    List<Sample> samples = new ArrayList<>();
    for (CacheEngineKey key : keys) {
      samples.add(fullChunk(feature, geometry, key, samples.size()));
    }
    assertThat(samples).hasSize(BATCH);
    return samples;
  }

  /** The synchronous one may hang over resp://: {@link Deviation#RESP_LOOKUP_LOST}. */
  private static List<String> lookups(Place place) {
    return place.python().startsWith("resp:") ? List.of("async") : List.of("async", "sync");
  }

  /** Batches both ways and what each side counts, before and after one in the middle has gone. */
  private void batch(Place place, List<Sample> samples, RawRedis raw) {
    TwoSides sides = sides(place);
    String session = sides.session(place, samples.get(0));
    List<CacheEngineKey> keys = samples.stream().map(s -> (CacheEngineKey) s.key()).toList();
    List<JsonNode> fields = new ArrayList<>();
    List<JsonNode> items = new ArrayList<>();
    for (Sample sample : samples) {
      fields.add(Sample.keyFields(sample.key()));
      items.add(sample.request());
    }
    raw.flush();
    try (DirectMemory memory = DirectMemory.create(1 << 20);
        RedisConnector java = sides.java(place, Path.AUTO)) {
      List<KvChunk> chunks = samples.stream().map(sample -> sample.chunk(memory)).toList();
      assertThat(java.sync().batchedPut(chunks)).allMatch(o -> o instanceof PutOutcome.Stored);
      chunks.forEach(KvChunk::close);
      Map<String, String> written = raw.dump();
      JsonNode got = peer.call("batched_get", "session", session, "keys", fields);
      for (int i = 0; i < BATCH; i++) {
        TwoSides.assertSame(samples.get(i), got.get("results").get(i));
      }

      raw.flush();
      peer.call("batched_put", "session", session, "items", items);
      assertThat(raw.dump()).isEqualTo(written);
      List<GetOutcome> outcomes = java.sync().batchedGet(keys);
      for (int i = 0; i < BATCH; i++) {
        try (KvChunk chunk = ((GetOutcome.Hit) outcomes.get(i)).chunk()) {
          assertThat(Payloads.sha256(chunk.payload().nio())).isEqualTo(samples.get(i).sha256());
        }
      }

      int hole = BATCH / 2;
      for (int expected : new int[] {BATCH, hole}) {
        assertThat(java.sync().batchedContains(keys)).isEqualTo(expected);
        for (String mode : lookups(place)) {
          JsonNode lookup = peer.call("lookup", "session", session, "keys", fields, "mode", mode);
          assertThat(lookup.get("count").intValue()).as(mode).isEqualTo(expected);
        }
        assertThat(java.sync().remove(keys.get(hole))).isEqualTo(expected == BATCH);
      }
    }
  }
}
