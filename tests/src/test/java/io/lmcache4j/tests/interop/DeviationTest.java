/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeySyntaxException;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.metadata.UnsupportedDtypeException;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.UnreproducibleHashException;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** Where we differ on purpose: what LMCache does, and what is done here, on the same Redis. */
@Interop
class DeviationTest {

  private static final int DATABASE = 4;
  private static final String MODEL = "deviation";
  private static final Shape SHAPE = Shape.of(2, 1, 2, 2);
  private static final int BYTES = 16;

  /** Longer than LMCache's own timeouts as they are set here, so that silence means silence. */
  private static final Duration SILENCE = Duration.ofSeconds(5);

  private static final int TIMEOUT_SECONDS = 2;

  /** What fills LMCache's arena before anything is read into it. */
  private static final int POISON = 170;

  private final InteropRun run;
  private final TestInfo test;
  private final PythonPeer peer;
  private final RawRedis raw;
  private final RedisConnector java;
  private final DirectMemory memory = DirectMemory.create(1 << 20);

  DeviationTest(InteropRun run, TestInfo test) {
    this.run = run;
    this.test = test;
    this.peer = run.peer();
    this.raw = new RawRedis(run.url(DATABASE)).flush();
    this.java = new TwoSides(Release.CURRENT, peer, "", "").java(run.url(DATABASE), Path.AUTO);
  }

  @BeforeEach
  void openSession() {
    open(peer, run.url(DATABASE));
  }

  @AfterEach
  void close() {
    peer.call("forget", "session", MODEL);
    java.close();
    memory.close();
    raw.close();
  }

  private static void open(PythonPeer peer, String url, Object... more) {
    ObjectNode request =
        Json.object(
            "op",
            "open",
            "session",
            MODEL,
            "url",
            url,
            "model",
            MODEL,
            "chunk_size",
            16,
            "poison",
            POISON,
            "max_local_cpu_size",
            0.05,
            "blocking_timeout_secs",
            TIMEOUT_SECONDS);
    JsonNode reply = peer.raw(Json.put(request, more));
    assertThat(reply.path("connected").asBoolean()).as("%s", reply).isTrue();
  }

  private void seen(Deviation deviation) {
    String method = test.getTestMethod().orElseThrow().getName();
    run.table().seen(deviation, getClass().getSimpleName() + "." + method);
  }

  private static CacheEngineKey key(int hash) {
    return CacheEngineKey.of(MODEL, 1, 0, hash, DType.BFLOAT16);
  }

  private static ObjectNode put(int hash, Object... more) {
    ObjectNode request =
        Json.object(
            "op",
            "put",
            "session",
            MODEL,
            "key",
            key(hash).toString(),
            "shapes",
            List.of(List.of(2, 1, 2, 2)),
            "dtypes",
            List.of("bfloat16"),
            "payload",
            Payloads.request(BYTES, hash));
    return Json.put(request, more);
  }

  private JsonNode get(int hash) {
    return peer.call("get", "session", MODEL, "key", key(hash).toString(), "want", "base64");
  }

  private KvChunk chunk(int hash, MemoryFormat format, List<DType> dtypes) {
    RemoteMetadata metadata = RemoteMetadata.of(format, List.of(SHAPE), dtypes);
    return new KvChunk(key(hash), metadata, Payloads.lease(memory, BYTES, hash));
  }

  private KvChunk hit(int hash) {
    GetOutcome outcome = java.sync().get(key(hash));
    assertThat(outcome).isInstanceOf(GetOutcome.Hit.class);
    return ((GetOutcome.Hit) outcome).chunk();
  }

  @Test
  void missingDtypesAreFilledInAndNotRefused() {
    JsonNode refused = peer.raw(put(1, "meta_dtypes", List.of()));
    assertThat(refused.get("exception").textValue()).isEqualTo("ValueError");
    assertThat(refused.get("message").textValue())
        .isEqualTo("zip() argument 2 is shorter than argument 1");
    assertThat(raw.dump()).isEmpty();

    try (KvChunk chunk = chunk(1, MemoryFormat.KV_2LTD, List.of())) {
      assertThat(java.sync().put(chunk)).isInstanceOf(PutOutcome.Stored.class);
    }
    JsonNode got = get(1);
    assertThat(got.get("found").booleanValue()).isTrue();
    assertThat(got.get("dtypes")).isEqualTo(Json.node(List.of("bfloat16")));
    assertThat(Base64.getDecoder().decode(got.get("base64").textValue()))
        .isEqualTo(Payloads.bytes(BYTES, 1));
    seen(Deviation.MISSING_DTYPES);
  }

  @Test
  void aBadChunkOfABatchFailsAloneAndByName() {
    JsonNode put =
        peer.call(
            "batched_put",
            "session",
            MODEL,
            "items",
            List.of(put(1), put(2, "meta_dtypes", List.of()), put(3)));
    assertThat(put.get("completed").intValue()).isEqualTo(3);
    assertThat(put.get("put_failed_count").intValue()).isZero();
    assertThat(put.get("log").toString()).contains("batched put error").doesNotContain("@2@");
    assertThat(raw.exists(key(2) + "metadata")).isFalse();
    raw.flush();

    List<KvChunk> chunks =
        List.of(
            chunk(1, MemoryFormat.KV_2LTD, List.of(DType.BFLOAT16)),
            new KvChunk(
                key(2),
                new RemoteMetadata(8, MemoryFormat.KV_2LTD, List.of(SHAPE), List.of(DType.INT8)),
                Payloads.lease(memory, 8, 2)),
            chunk(3, MemoryFormat.KV_2LTD, List.of()));
    List<PutOutcome> outcomes = java.sync().batchedPut(chunks);
    chunks.forEach(KvChunk::close);
    assertThat(outcomes).extracting(PutOutcome::key).containsExactly(key(1), key(2), key(3));
    assertThat(outcomes.get(0)).isInstanceOf(PutOutcome.Stored.class);
    assertThat(((PutOutcome.Failed) outcomes.get(1)).cause())
        .isInstanceOf(UnsupportedDtypeException.class)
        .hasMessageContaining(key(2).toString());
    assertThat(outcomes.get(2)).isInstanceOf(PutOutcome.Stored.class);
    assertThat(raw.dump()).hasSize(4);
    seen(Deviation.SILENT_BATCHED_PUT);
  }

  @Test
  void aHoleInABatchShiftsNothing() {
    peer.call("batched_put", "session", MODEL, "items", List.of(put(1), put(2), put(3)));
    raw.delete(key(2) + "metadata");
    List<String> keys = List.of(key(1).toString(), key(2).toString(), key(3).toString());
    JsonNode got = peer.call("batched_get", "session", MODEL, "keys", keys, "mode", "non_blocking");
    assertThat(got.get("count").intValue()).isEqualTo(2);
    assertThat(got.get("results").get(1).get("sha256").textValue())
        .isEqualTo(
            peer.call("payload", "payload", Payloads.request(BYTES, 3)).get("sha256").textValue());

    List<GetOutcome> outcomes = java.sync().batchedGet(List.of(key(1), key(2), key(3)));
    assertThat(outcomes.get(1)).isEqualTo(new GetOutcome.Miss(key(2)));
    for (int i : new int[] {0, 2}) {
      try (KvChunk chunk = ((GetOutcome.Hit) outcomes.get(i)).chunk()) {
        assertThat(bytes(chunk)).isEqualTo(Payloads.bytes(BYTES, i + 1));
      }
    }
    seen(Deviation.SHIFTED_BATCH);
  }

  private static byte[] bytes(KvChunk chunk) {
    byte[] bytes = new byte[chunk.payload().length()];
    chunk.payload().nio().get(bytes);
    return bytes;
  }

  @Test
  void staleMemoryIsNeverHandedOut() {
    int uint8 = 6;
    raw.set(key(1) + "kv_bytes", Payloads.bytes(4, 1));
    raw.set(key(1) + "metadata", RawRedis.header(4, 1, uint8, 1, 1, 1, 16));
    byte[] got = Base64.getDecoder().decode(get(1).get("base64").textValue());
    assertThat(got).hasSize(16).startsWith(Payloads.bytes(4, 1));
    assertThat(HexFormat.of().formatHex(got, 4, 16)).isEqualTo("aa".repeat(12));
    raw.set(key(2) + "kv_bytes", Payloads.bytes(8, 2));
    raw.set(key(2) + "metadata", RawRedis.header(-8, 1, uint8, 1, 1, 1, 16));
    assertThat(get(2).get("length").intValue()).isEqualTo(16);

    for (int hash : new int[] {1, 2}) {
      assertThat(java.sync().get(key(hash))).isInstanceOf(GetOutcome.Corrupt.class);
    }
    seen(Deviation.STALE_MEMORY);
  }

  @Test
  void aHeaderCannotClaimMemory() {
    raw.set(key(1) + "kv_bytes", Payloads.bytes(8, 1));
    raw.set(key(1) + "metadata", RawRedis.header(8, 1, 6, 1 << 20, 1 << 10, 1, 16));
    assertThat(java.sync().get(key(1))).isInstanceOf(GetOutcome.Corrupt.class);
    assertThat(java.memory().leases()).isZero();

    PythonPeer victim = run.startPeer("0", null);
    open(victim, run.url(DATABASE));
    String key = key(1).toString();
    assertThat(victim.call("get", "session", MODEL, "key", key).get("found").booleanValue())
        .isFalse();
    assertThat(victim.isSilent(SILENCE, "exists", "session", MODEL, "key", key)).isTrue();
    seen(Deviation.HEADER_BOMB);
  }

  @Test
  void everyFormatThatIsWrittenCanBeRead() {
    for (MemoryFormat format : List.of(MemoryFormat.UNDEFINED, MemoryFormat.BINARY)) {
      raw.flush();
      assertThat(peer.raw(put(1, "meta_fmt", format.name())).get("ok").booleanValue()).isTrue();
      assertThat(raw.dump()).hasSize(2);
      JsonNode got = get(1);
      assertThat(got.get("found").booleanValue()).isFalse();
      assertThat(got.get("log").toString()).contains("Unsupported memory format");
      try (KvChunk chunk = hit(1)) {
        assertThat(chunk.metadata().format()).isEqualTo(format);
        assertThat(bytes(chunk)).isEqualTo(Payloads.bytes(BYTES, 1));
        assertThat(java.sync().put(chunk)).isInstanceOf(PutOutcome.Stored.class);
      }
    }
    seen(Deviation.UNREADABLE_FORMATS);
  }

  @Test
  void whatIsRemovedIsGone() {
    peer.raw(put(1));
    JsonNode removed = peer.call("remove", "session", MODEL, "key", key(1).toString());
    assertThat(removed.get("removed").booleanValue()).isFalse();
    assertThat(raw.dump()).hasSize(2);

    assertThat(java.sync().remove(key(1))).isTrue();
    assertThat(raw.dump()).isEmpty();
    assertThat(
            peer.call("exists", "session", MODEL, "key", key(1).toString())
                .get("exists")
                .booleanValue())
        .isFalse();
    seen(Deviation.REMOVE);
  }

  @Test
  void closingReturns() {
    JsonNode closed = peer.call("close", "session", MODEL, "timeout", TIMEOUT_SECONDS);
    assertThat(closed.get("hung").booleanValue()).isTrue();
    open(peer, run.url(DATABASE)); // for the end of this test: sessions have loops of their own

    java.close();
    assertThat(java.inFlightBytes()).isZero();
    seen(Deviation.CLOSE_NEVER_RETURNS);
  }

  @Test
  void spacesAroundAKeyAreNoPartOfIt() {
    String text = " m@1@0@5@half@3 ";
    JsonNode read = peer.call("key_parse", "key", text);
    assertThat(read.get("model").textValue()).isEqualTo(" m");
    assertThat(read.get("layer_id").intValue()).isEqualTo(3);
    assertThatThrownBy(() -> ChunkKey.parse(text)).isInstanceOf(KeySyntaxException.class);
    seen(Deviation.KEY_WITH_SPACES);
  }

  @Test
  void aModelNameWithTheSeparatorIsRead() {
    CacheEngineKey key = CacheEngineKey.of("a@b", 1, 0, 5, DType.FLOAT16);
    assertThat(peer.call("key_format", "key", Sample.keyFields(key)).get("key").textValue())
        .isEqualTo(key.toString());
    assertThat(peer.raw("key_parse", "key", key.toString()).get("ok").booleanValue()).isFalse();
    assertThat(ChunkKey.parse(key.toString())).isEqualTo(key);
    seen(Deviation.MODEL_WITH_AT);
  }

  @Test
  void hashesThatDependOnAnAddressAreRefused() {
    Release release = new Release("0.3.15");
    List<JsonNode> keys = new ArrayList<>();
    boolean constant = false;
    for (int i = 0; i < 2; i++) {
      PythonPeer old = run.startPeer("0", release.name());
      ReleaseTokens tokens = new ReleaseTokens(release, old);
      keys.add(tokens.python(1, HashAlgorithm.BUILTIN, "none", "0", false).get("chunks"));
      constant = !old.info().get("python").textValue().startsWith("3.11.");
      if (constant) {
        tokens.agree(HashAlgorithm.BUILTIN, NoneHash.zero(), "none", "0");
      } else {
        assertThatThrownBy(() -> tokens.java(HashAlgorithm.BUILTIN, NoneHash.zero(), false))
            .isInstanceOf(UnreproducibleHashException.class);
      }
      old.close();
    }
    assertThat(keys.get(0).equals(keys.get(1))).isEqualTo(constant);
    seen(Deviation.HASH_OF_NONE);
  }

  @Test
  void aMissOverRespHangsInLmcache() {
    PythonPeer victim = run.startPeer("0", null);
    String url = "resp://127.0.0.1:" + run.redis().port();
    JsonNode extraConfig = Json.object("save_chunk_meta", false, "resp_num_threads", 1);
    open(victim, url, "extra_config", extraConfig);
    ObjectNode full =
        put(
            1,
            "shapes",
            List.of(List.of(2, 4, 16, 128)),
            "payload",
            Payloads.request(2 * 4 * 16 * 128 * 2, 1));
    assertThat(victim.raw(full).get("ok").booleanValue()).isTrue();
    String there = key(1).toString();
    assertThat(victim.call("get", "session", MODEL, "key", there).get("found").booleanValue())
        .isTrue();
    String missing = key(2).toString();
    assertThat(victim.call("get", "session", MODEL, "key", missing).get("found").booleanValue())
        .isFalse();
    assertThat(victim.call("get", "session", MODEL, "key", there).get("found").booleanValue())
        .isFalse();
    assertThat(victim.isSilent(SILENCE, "exists", "session", MODEL, "key", there)).isTrue();

    KvGeometry geometry = new KvGeometry(4, 2, 64, false, DType.BFLOAT16, 1, 16);
    Place place = Place.of(url, url, extraConfig, geometry);
    try (RedisConnector ours = sides(place).java(place, Path.AUTO)) {
      assertThat(ours.sync().get(key(2))).isEqualTo(new GetOutcome.Miss(key(2)));
      try (KvChunk got = ((GetOutcome.Hit) ours.sync().get(key(1))).chunk()) {
        assertThat(got.metadata().shapes()).containsExactly(geometry.chunkShape());
      }
      assertThat(ours.sync().exists(key(2))).isFalse();
    }
    seen(Deviation.RESP_MISS);
  }

  @Test
  void aLookupOverRespIsNotLost() {
    PythonPeer victim = run.startPeer("0", null);
    String url = "resp://127.0.0.1:" + run.redis().port();
    JsonNode extraConfig = Json.object("save_chunk_meta", false, "resp_num_threads", 1);
    open(victim, url, "extra_config", extraConfig);
    List<String> keys = List.of(key(3).toString());
    JsonNode async = victim.call("lookup", "session", MODEL, "keys", keys, "mode", "async");
    assertThat(async.get("count").intValue()).isZero();
    victim.call("late_return", "session", MODEL, "seconds", 0.05);
    assertThat(victim.isSilent(SILENCE, "lookup", "session", MODEL, "keys", keys, "mode", "sync"))
        .isTrue();

    Place place = Place.of(url);
    try (RedisConnector ours = sides(place).java(place, Path.AUTO)) {
      assertThat(ours.sync().batchedContains(List.of(key(3)))).isZero();
    }
    seen(Deviation.RESP_LOOKUP_LOST);
  }

  /** Without a Sentinel LMCache says the same as with one that knows the master. */
  @Test
  void sentinelWritesNothingInLmcache() {
    String key = key(1).toString();
    String url = run.sentinel().url();
    try (RawRedis master = new RawRedis(run.url(0)).flush()) {
      for (String sentinel : List.of("redis-sentinel://127.0.0.1:1", url)) {
        open(peer, sentinel);
        assertThat(peer.call("exists", "session", MODEL, "key", key).get("exists").booleanValue())
            .isTrue();
        JsonNode put = peer.raw(put(1));
        assertThat(put.get("ok").booleanValue()).isTrue();
        assertThat(put.get("put_failed_count").intValue()).isZero();
        assertThat(master.dump()).isEmpty();
      }
      try (RedisConnector ours = sides(Place.of(url)).java(Place.of(url), Path.AUTO);
          KvChunk chunk = chunk(1, MemoryFormat.KV_2LTD, List.of())) {
        assertThat(ours.sync().put(chunk)).isInstanceOf(PutOutcome.Stored.class);
        assertThat(master.dump()).containsOnlyKeys(key + "kv_bytes", key + "metadata");
        try (KvChunk got = ((GetOutcome.Hit) ours.sync().get(key(1))).chunk()) {
          assertThat(bytes(got)).isEqualTo(Payloads.bytes(BYTES, 1));
        }
      }
      assertThat(get(1).get("found").booleanValue()).isFalse();
    }
    seen(Deviation.SENTINEL_WRITES_NOTHING);
  }

  private TwoSides sides(Place place) {
    return new TwoSides(Release.CURRENT, peer, place, place);
  }
}
