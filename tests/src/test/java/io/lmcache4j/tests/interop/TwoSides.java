/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.redis.RedisConnectorOptions.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Both connectors over one Redis, each with a database that it writes and one that it reads: the
 * other's.
 */
final class TwoSides {

  private static final long MEMORY = 256L << 20;

  private final Release release;
  private final PythonPeer python;
  private final String javaDatabase;
  private final String pythonDatabase;
  private final Set<String> sessions = new HashSet<>();

  /**
   * Says where the two sides meet.
   *
   * @param javaDatabase the URL of the database that Java writes, as both sides take it
   * @param pythonDatabase that of the one that Python writes
   */
  TwoSides(Release release, PythonPeer python, String javaDatabase, String pythonDatabase) {
    this.release = release;
    this.python = python;
    this.javaDatabase = javaDatabase;
    this.pythonDatabase = pythonDatabase;
  }

  RedisConnector java(String url, Path path) {
    return RedisConnector.open(
        RedisConnectorOptions.builder(url)
            .lmcacheVersion(release.version())
            .path(path)
            .memoryCapacity(MEMORY)
            .build());
  }

  /** A session of the peer, opened when it is first asked for. */
  String session(String url, Sample sample) {
    String session = url + " " + (sample.groups() == 1 ? "" : sample.sessionGroups());
    if (sessions.add(session)) {
      JsonNode reply =
          python.call(
              "open",
              "session",
              session,
              "url",
              url,
              "model",
              sample.key().modelName(),
              "chunk_size",
              16,
              "max_local_cpu_size",
              sample.groups() == 1 && release.isCurrent() ? 0.25 : 0.05,
              "groups",
              sample.groups() == 1 ? null : sample.sessionGroups());
      assertThat(reply.get("connected").booleanValue()).as("%s", reply).isTrue();
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
    assertThat(putByJava(sample, path))
        .isEqualTo(new PutOutcome.Stored(sample.key(), sample.length()));
    JsonNode put = putByPython(sample);
    assertThat(put.get("ok").booleanValue()).as("%s", put).isTrue();
    Map<String, String> written = rawJava.dump();
    assertThat(written).hasSize(2);
    assertThat(rawPython.dump()).isEqualTo(written);
    readByJava(sample, path);
    readByPython(sample);
  }

  JsonNode putByPython(Sample sample) {
    return python.raw(
        "put", Json.pairs(sample.request(), "session", session(pythonDatabase, sample)));
  }

  PutOutcome putByJava(Sample sample, Path path) {
    try (DirectMemory memory = DirectMemory.create(MEMORY);
        RedisConnector java = java(javaDatabase, path);
        KvChunk chunk = sample.chunk(memory)) {
      return java.sync().put(chunk);
    }
  }

  private void readByJava(Sample sample, Path path) {
    try (RedisConnector java = java(pythonDatabase, path)) {
      GetOutcome outcome = java.sync().get(sample.key());
      assertThat(outcome).isInstanceOf(GetOutcome.Hit.class);
      try (KvChunk chunk = ((GetOutcome.Hit) outcome).chunk()) {
        assertThat(chunk.metadata()).isEqualTo(sample.metadata());
        assertThat(chunk.payload().length()).isEqualTo(sample.length());
        assertThat(Payloads.sha256(chunk.payload().nio())).isEqualTo(sample.sha256());
      }
    }
  }

  private void readByPython(Sample sample) {
    JsonNode got = getByPython(sample);
    assertThat(got.get("ok").booleanValue()).as("%s", got).isTrue();
    assertSame(sample, got);
  }

  JsonNode getByPython(Sample sample) {
    return python.raw(
        "get", "session", session(javaDatabase, sample), "key", Sample.keyFields(sample.key()));
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
