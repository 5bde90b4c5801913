/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.redis.RedisConnectorOptions.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Both connectors over the same servers, each with a place that it writes and one that it reads:
 * the other's. Where there is one place only, they take turns.
 */
final class TwoSides {

  private static final long MEMORY = 256L << 20;

  /** LMCache's arenas, in GiB; a large one has room for a put and its get. */
  private static final double LARGE_ARENA = 0.25;

  private static final double ARENA = 0.01;

  private final Release release;
  private final PythonPeer python;
  private final Place javaWrites;
  private final Place pythonWrites;

  /**
   * Says where the two sides meet.
   *
   * @param javaDatabase the URL of the database that Java writes, as both sides take it
   * @param pythonDatabase that of the one that Python writes
   */
  TwoSides(Release release, PythonPeer python, String javaDatabase, String pythonDatabase) {
    this(release, python, Place.of(javaDatabase), Place.of(pythonDatabase));
  }

  TwoSides(Release release, PythonPeer python, Place javaWrites, Place pythonWrites) {
    this.release = release;
    this.python = python;
    this.javaWrites = javaWrites;
    this.pythonWrites = pythonWrites;
  }

  RedisConnector java(String url, Path path) {
    return java(Place.of(url), path);
  }

  RedisConnector java(Place place, Path path) {
    RedisConnectorOptions.Builder options =
        RedisConnectorOptions.builder(place.java())
            .lmcacheVersion(release.version())
            .path(path)
            .memoryCapacity(MEMORY);
    KvGeometry geometry = place.geometry();
    return RedisConnector.open(
        geometry == null ? options.build() : options.geometry(geometry).build());
  }

  /**
   * A session of the peer, opened when it is first asked for: LMCache's arenas stay till its end.
   */
  String session(String url, Sample sample) {
    return session(Place.of(url), sample);
  }

  String session(Place place, Sample sample) {
    boolean groups = sample.groups() > 1;
    String session =
        place.python()
            + " "
            + place.geometry()
            + " "
            + place.extraConfig()
            + (groups ? " " + sample.sessionGroups() : "")
            + (sample.isLarge() ? " large" : "");
    if (python.isNew(session)) {
      ObjectNode open =
          Json.object(
              "op",
              "open",
              "session",
              session,
              "model",
              sample.key().modelName(),
              "chunk_size",
              16,
              "max_local_cpu_size",
              sample.isLarge() ? LARGE_ARENA : ARENA,
              "groups",
              groups ? sample.sessionGroups() : null);
      JsonNode reply = python.raw(place.tell(open));
      if (!reply.path("connected").asBoolean()) {
        throw new PeerException("open: " + reply);
      }
    }
    return session;
  }

  /**
   * Has each side write the sample, compares the databases, and has each read what the other wrote.
   *
   * @param rawJava the database that Java writes
   * @param rawPython the one that Python writes
   */
  void roundTrip(Sample sample, Path path, RawRedis rawJava, RawRedis rawPython) {
    rawJava.flush();
    rawPython.flush();
    try (RedisConnector java = java(javaWrites, path)) {
      putBy(java, sample);
    }
    JsonNode put = putByPython(sample);
    assertThat(put.get("ok").booleanValue()).as("%s", put).isTrue();
    Map<String, String> written = rawJava.dump();
    assertThat(written.keySet())
        .containsExactlyElementsOf(javaWrites.redisKeys(sample.key(release)));
    assertThat(rawPython.dump()).isEqualTo(written);
    try (RedisConnector java = java(pythonWrites, path)) {
      readBy(java, sample);
    }
    readByPython(sample);
  }

  /**
   * Has each side write the sample and the other read it, in the one place that both have, and
   * compares what was written.
   *
   * @param raw that place
   */
  void takeTurns(Sample sample, Path path, RawRedis raw) {
    try (RedisConnector java = java(javaWrites, path)) {
      raw.flush();
      putBy(java, sample);
      Map<String, String> written = raw.dump();
      assertThat(written.keySet())
          .containsExactlyElementsOf(javaWrites.redisKeys(sample.key(release)));
      readByPython(sample);

      raw.flush();
      JsonNode put = putByPython(sample);
      assertThat(put.get("ok").booleanValue()).as("%s", put).isTrue();
      assertThat(raw.dump()).isEqualTo(written);
      readBy(java, sample);
    }
  }

  JsonNode putByPython(Sample sample) {
    return python.raw(
        "put", Json.pairs(sample.request(), "session", session(pythonWrites, sample)));
  }

  PutOutcome putByJava(Sample sample, Path path) {
    try (RedisConnector java = java(javaWrites, path)) {
      return put(java, sample);
    }
  }

  private static PutOutcome put(RedisConnector java, Sample sample) {
    try (DirectMemory memory = DirectMemory.create(MEMORY);
        KvChunk chunk = sample.chunk(memory)) {
      return java.sync().put(chunk);
    }
  }

  private static void putBy(RedisConnector java, Sample sample) {
    assertThat(put(java, sample)).isEqualTo(new PutOutcome.Stored(sample.key(), sample.length()));
  }

  private static void readBy(RedisConnector java, Sample sample) {
    GetOutcome outcome = java.sync().get(sample.key());
    assertThat(outcome).isInstanceOf(GetOutcome.Hit.class);
    try (KvChunk chunk = ((GetOutcome.Hit) outcome).chunk()) {
      assertThat(chunk.metadata()).isEqualTo(sample.metadata());
      assertThat(chunk.payload().length()).isEqualTo(sample.length());
      assertThat(Payloads.sha256(chunk.payload().nio())).isEqualTo(sample.sha256());
    }
  }

  private void readByPython(Sample sample) {
    JsonNode got = getByPython(sample);
    assertThat(got.get("ok").booleanValue()).as("%s", got).isTrue();
    assertSame(sample, got);
  }

  JsonNode getByPython(Sample sample) {
    return python.raw(
        "get", "session", session(javaWrites, sample), "key", Sample.keyFields(sample.key()));
  }

  /** Compares what Python read with what the sample is. */
  static void assertSame(Sample sample, @Nullable JsonNode got) {
    assertThat(got).isNotNull();
    assertThat(got.path("found").asBoolean(true)).as("%s", got).isTrue();
    RemoteMetadata metadata = sample.metadata();
    assertThat(got.get("length").longValue()).isEqualTo(metadata.length());
    assertThat(got.get("sha256").textValue()).isEqualTo(sample.sha256());
    assertThat(got.get("fmt"))
        .isEqualTo(Json.node(metadata.format().code(LmcacheVersion.CURRENT).orElseThrow()));
    assertThat(got.get("shapes")).isEqualTo(Json.node(Sample.shapes(metadata)));
    if (!metadata.dtypes().contains(DType.NONE)) {
      assertThat(got.get("dtypes")).isEqualTo(Json.node(Sample.dtypes(metadata)));
    }
  }
}
