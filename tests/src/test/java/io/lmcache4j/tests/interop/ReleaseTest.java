/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.UnreproducibleHashException;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each release's own code against ours: its header, key and token code, and its connector where
 * that runs.
 */
@Interop
@ParameterizedClass(name = "LMCache {0}")
@MethodSource("releases")
@TestMethodOrder(MethodOrderer.MethodName.class)
class ReleaseTest {

  private static final int JAVA = 1;
  private static final int PYTHON = 2;
  private static final int BATCH = 5;

  /** PYTHONHASHSEED of the peers. */
  private static final String SEED = "0";

  private final Release release;
  private final InteropRun run;
  private final CompatibilityTable table;
  private final PythonPeer peer;

  ReleaseTest(Release release, InteropRun run) {
    this.release = release;
    this.run = run;
    this.table = run.table();
    this.peer = run.peer(release);
  }

  /** Those that are there; {@link MissingReleaseTest} has the others. */
  static List<Release> releases() {
    PythonEnvironment environment = PythonEnvironment.get();
    return Release.all().stream().filter(r -> environment.missing(r).isEmpty()).toList();
  }

  /** Why the release's connector can't run here, if it can't. */
  private Optional<String> noConnector() {
    JsonNode reason = peer.info().get("not_imported").get("remote_backend");
    return Optional.ofNullable(reason).map(JsonNode::textValue);
  }

  @TestFactory
  Stream<DynamicTest> chunksCrossBothWays() {
    if (noConnector().isPresent()) {
      return Stream.of(dynamicTest("can't: " + noConnector().get(), this::noteMissingConnector));
    }
    TwoSides sides = new TwoSides(release, peer, run.url(JAVA), run.url(PYTHON));
    List<DynamicTest> tests = new ArrayList<>();
    for (Sample sample : Sample.all()) {
      Optional<String> refusal = sample.refusal(release);
      if (sample.isLarge() && !release.isCurrent()) {
        continue;
      }
      if (refusal.isPresent()) {
        tests.add(dynamicTest(sample + " is refused", () -> refused(sides, sample, refusal.get())));
        continue;
      }
      for (Path path : release.isCurrent() ? Path.values() : new Path[] {Path.AUTO}) {
        tests.add(dynamicTest(path + " " + sample, () -> roundTrip(sides, sample, path)));
      }
    }
    return tests.stream();
  }

  private void noteMissingConnector() {
    String reason = "its connector can't be loaded: " + noConnector().orElseThrow();
    Feature.CONNECTOR.forEach(feature -> table.cannot(feature, release, reason));
  }

  private void roundTrip(TwoSides sides, Sample sample, Path path) {
    try (RawRedis java = new RawRedis(run.url(JAVA));
        RawRedis python = new RawRedis(run.url(PYTHON))) {
      sides.roundTrip(sample, path, java, python);
    }
    proven(sample.feature());
  }

  private void proven(Feature feature) {
    feature.directions().forEach(direction -> table.proven(feature, direction, release));
  }

  /** What the release can't store, it refuses as the table says. */
  private void refused(TwoSides sides, Sample sample, String refusal) {
    String said;
    try {
      JsonNode put = sides.putByPython(sample);
      said = put.path("exception").asText() + ": " + put.path("message").asText();
    } catch (PeerException e) {
      said = String.valueOf(e.getMessage());
    }
    String[] parts = refusal.split(": ", 2);
    assertThat(said).contains(parts);
    switch (sample.feature()) {
      case LAYERWISE -> {
        assertThat(sides.putByJava(sample, Path.AUTO)).isInstanceOf(PutOutcome.Failed.class);
        table.cannot(sample.feature(), release, "put fails, " + refusal);
      }
      case OPAQUE -> {
        assertThat(sides.putByJava(sample, Path.AUTO)).isInstanceOf(PutOutcome.Stored.class);
        TwoSides.assertSame(sample, sides.getByPython(sample));
        table.proven(sample.feature(), Direction.JAVA_TO_PYTHON, release);
        Direction other = Direction.PYTHON_TO_JAVA;
        table.cannot(sample.feature(), other, release, "put fails, " + refusal);
      }
      default -> table.absent(sample.feature(), release, "came in " + sample.since());
    }
  }

  @Test
  void chunksCrossAUnixSocket() {
    if (noConnector().isPresent()) {
      return;
    }
    TwoSides sides =
        new TwoSides(
            release,
            peer,
            run.redis().unixUrl() + "?db=" + JAVA,
            run.redis().unixUrl() + "?db=" + PYTHON);
    try (RawRedis java = new RawRedis(run.url(JAVA));
        RawRedis python = new RawRedis(run.url(PYTHON))) {
      for (Path path : Path.values()) {
        sides.roundTrip(Sample.all().get(0), path, java, python);
      }
    }
    proven(Feature.UNIX);
  }

  @TestFactory
  List<DynamicTest> chunksCrossOtherTopologies() {
    return noConnector().isPresent() ? List.of() : new Topologies(release, run, peer).tests();
  }

  /** Of every release whose connector runs, and of none of ours. */
  @Test
  void closingReturnsHereAlone() {
    if (noConnector().isPresent()) {
      return;
    }
    peer.call("open", "session", "closed", "url", run.url(PYTHON), "max_local_cpu_size", 0.01);
    JsonNode closed = peer.call("close", "session", "closed", "timeout", 1);
    assertThat(closed.get("hung").booleanValue()).isTrue();
    new TwoSides(release, peer, "", "").java(run.url(JAVA), Path.AUTO).close();
  }

  @Test
  void headersAreTheSame() {
    int count = new ReleaseCodecs(release, peer).headers();
    System.out.printf("interop: LMCache %s, %d headers%n", release, count);
    proven(Feature.HEADER);
  }

  @Test
  void keysAreTheSame() {
    int count = new ReleaseCodecs(release, peer).keys();
    System.out.printf("interop: LMCache %s, %d keys%n", release, count);
    proven(Feature.KEY_TEXT);
  }

  @Test
  void tokensHashAlikeWithoutVllm() {
    tokens(Feature.TOKENS_BUILTIN, HashAlgorithm.BUILTIN, NoneHash.zero(), "none", SEED);
  }

  @Test
  void tokensHashAlikeUnderASeed() {
    if (!release.isAtLeast("0.3.3")) {
      table.absent(Feature.TOKENS_BUILTIN_SEEDED, release, "one SHA-256 chain, without a seed");
      return;
    }
    NoneHash start = NoneHash.ofSeed(SEED);
    tokens(Feature.TOKENS_BUILTIN_SEEDED, HashAlgorithm.BUILTIN, start, "current", SEED);
  }

  @Test
  void tokensHashAlikeByCbor() {
    for (String seed : List.of(SEED, InteropRun.OTHER_SEED)) {
      NoneHash start = NoneHash.ofSeed(seed);
      tokens(Feature.TOKENS_CBOR, HashAlgorithm.SHA256_CBOR, start, "current", seed);
    }
  }

  @Test
  void promptsAreFoundAndReadByTheOtherSide() {
    if (noConnector().isPresent()) {
      return;
    }
    Story story = new Story(release, run, peer);
    boolean digest = !release.isAtLeast("0.4.1") && release.isAtLeast("0.3.13");
    if (digest) {
      // Their builtin hashes depend on the process (before Python 3.12): the digests don't.
      story.tell(HashAlgorithm.SHA256_CBOR, NoneHash.ofSeed(SEED), "current", SEED);
    } else if (release.isAtLeast("0.4.1")) {
      story.tell(HashAlgorithm.BUILTIN, NoneHash.zero(), "none", SEED);
    } else {
      table.cannot(Feature.STORY, release, "no hash that two processes agree on, see above");
      return;
    }
    if (release.isCurrent()) {
      String other = InteropRun.OTHER_SEED;
      story.tell(HashAlgorithm.BUILTIN, NoneHash.ofSeed(SEED), "current", SEED);
      story.tell(HashAlgorithm.SHA256_CBOR, NoneHash.ofSeed(SEED), "current", SEED);
      story.tell(HashAlgorithm.SHA256_CBOR, NoneHash.ofSeed(other), "current", other);
      new Story(release, run, run.otherPeer())
          .tell(HashAlgorithm.BUILTIN, NoneHash.ofSeed(other), "current", other);
    }
    proven(Feature.STORY);
  }

  @Test
  void ranksOfAnotherWorldReadWhatWasResharded() {
    if (noConnector().isPresent()) {
      return;
    }
    new Worlds(release, run, peer)
        .cross(release.isCurrent() ? List.of(1, 2, 4, 8) : List.of(1, 2, 4));
    proven(Feature.RESHARD);
  }

  /** Where our database says that it can't reproduce a release's hashes, the table repeats it. */
  private void tokens(
      Feature feature, HashAlgorithm algorithm, NoneHash start, String vllm, String seed) {
    ReleaseTokens tokens = new ReleaseTokens(release, peer);
    try {
      tokens.java(algorithm, start, false);
    } catch (UnreproducibleHashException e) {
      if (algorithm != HashAlgorithm.BUILTIN) {
        assertThat(tokens.isUnknownToPython(algorithm)).isTrue();
      }
      table.cannot(feature, release, String.valueOf(e.getMessage()));
      return;
    }
    tokens.agree(algorithm, start, vllm, seed);
    if (feature == Feature.TOKENS_BUILTIN_SEEDED && release.isCurrent()) {
      PythonPeer other = run.otherPeer();
      NoneHash otherStart = NoneHash.ofSeed(InteropRun.OTHER_SEED);
      new ReleaseTokens(release, other).agree(algorithm, otherStart, vllm, InteropRun.OTHER_SEED);
    }
    proven(feature);
  }

  @Test
  void batchesAndLookupsCrossBothWays() {
    if (noConnector().isPresent()) {
      return;
    }
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < BATCH; i++) {
      samples.add(
          new Sample(
              "batch " + i,
              Feature.BATCH,
              "0.3.1",
              CacheEngineKey.of("batch", 1, 0, 0xba7c0L + i, DType.BFLOAT16),
              RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, 4, 16, 128), DType.BFLOAT16),
              100 + i));
    }
    TwoSides sides = new TwoSides(release, peer, run.url(JAVA), run.url(PYTHON));
    try (RawRedis rawJava = new RawRedis(run.url(JAVA)).flush();
        RawRedis rawPython = new RawRedis(run.url(PYTHON)).flush();
        RedisConnector writer = sides.java(run.url(JAVA), Path.AUTO);
        RedisConnector reader = sides.java(run.url(PYTHON), Path.AUTO)) {
      writeByJava(samples, writer);
      String own = sides.session(run.url(PYTHON), samples.get(0));
      List<JsonNode> items = new ArrayList<>();
      samples.forEach(sample -> items.add(sample.request()));
      peer.call("batched_put", "session", own, "items", items);
      assertThat(rawPython.dump()).isEqualTo(rawJava.dump()).hasSize(2 * BATCH);

      readByJava(samples, reader);
      String other = sides.session(run.url(JAVA), samples.get(0));
      readByPython(samples, other);
      lookup(samples, reader, other, rawJava, rawPython);
    }
  }

  private static void writeByJava(List<Sample> samples, RedisConnector writer) {
    try (DirectMemory memory = DirectMemory.create(1 << 20)) {
      List<KvChunk> chunks = samples.stream().map(sample -> sample.chunk(memory)).toList();
      assertThat(writer.sync().batchedPut(chunks)).allMatch(o -> o instanceof PutOutcome.Stored);
      chunks.forEach(KvChunk::close);
    }
  }

  private void readByJava(List<Sample> samples, RedisConnector reader) {
    List<GetOutcome> outcomes =
        reader.sync().batchedGet(samples.stream().map(Sample::key).toList());
    for (int i = 0; i < BATCH; i++) {
      try (KvChunk chunk = ((GetOutcome.Hit) outcomes.get(i)).chunk()) {
        assertThat(Payloads.sha256(chunk.payload().nio())).isEqualTo(samples.get(i).sha256());
      }
    }
    table.proven(Feature.BATCH, Direction.PYTHON_TO_JAVA, release);
  }

  private List<JsonNode> keys(List<Sample> samples) {
    List<JsonNode> keys = new ArrayList<>();
    samples.forEach(sample -> keys.add(Sample.keyFields(sample.key())));
    return keys;
  }

  private void readByPython(List<Sample> samples, String session) {
    JsonNode got = peer.call("batched_get", "session", session, "keys", keys(samples));
    for (int i = 0; i < BATCH; i++) {
      TwoSides.assertSame(samples.get(i), got.get("results").get(i));
    }
    table.proven(Feature.BATCH, Direction.JAVA_TO_PYTHON, release);
  }

  /** Both count the leading chunks that are there, before and after one in the middle has gone. */
  private void lookup(
      List<Sample> samples,
      RedisConnector reader,
      String session,
      RawRedis rawJava,
      RawRedis rawPython) {
    int hole = BATCH / 2;
    for (int expected : new int[] {BATCH, hole}) {
      assertThat(reader.sync().batchedContains(samples.stream().map(Sample::key).toList()))
          .isEqualTo(expected);
      assertThat(countByPython(samples, session)).isEqualTo(expected);
      assertThat(rawJava.delete(samples.get(hole).key(release) + "metadata"))
          .isEqualTo(expected == BATCH);
      assertThat(rawPython.delete(samples.get(hole).key(release) + "metadata"))
          .isEqualTo(expected == BATCH);
    }
    proven(Feature.LOOKUP);
  }

  private int countByPython(List<Sample> samples, String session) {
    int count = 0;
    for (JsonNode key : keys(samples)) {
      if (!peer.call("exists", "session", session, "key", key).get("exists").booleanValue()) {
        break;
      }
      count++;
    }
    if (release.isCurrent()) {
      for (String mode : List.of("async", "sync")) {
        assertThat(
                peer.call("lookup", "session", session, "keys", keys(samples), "mode", mode)
                    .get("count")
                    .intValue())
            .isEqualTo(count);
      }
    }
    return count;
  }
}
