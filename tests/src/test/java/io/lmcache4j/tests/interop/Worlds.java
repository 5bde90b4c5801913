/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.reshard.Resharding;
import io.lmcache4j.core.reshard.World;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions.Path;
import io.lmcache4j.redis.reshard.ReshardOutcome;
import io.lmcache4j.redis.reshard.Resharder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * LMCache's ranks of one world store, we reshard, LMCache's ranks of another look up and get. Every
 * element says where in the model it belongs.
 */
final class Worlds {

  private static final int DATABASE = 4;
  private static final String MODEL = "worlds";

  /** Four heads, so that eight ranks share them. */
  private static final KvGeometry HEADS = KvGeometry.of(3, 4, 8, DType.BFLOAT16).withChunkSize(16);

  private static final KvGeometry LATENTS =
      KvGeometry.ofMla(3, 24, DType.BFLOAT16).withChunkSize(16);

  /** A full chunk, and one at the end of a prompt. */
  private static final List<Integer> TOKENS = List.of(16, 5);

  private final InteropRun run;
  private final PythonPeer peer;
  private final TwoSides sides;

  Worlds(Release release, InteropRun run, PythonPeer peer) {
    this.run = run;
    this.peer = peer;
    this.sides = new TwoSides(release, peer, run.url(DATABASE), run.url(DATABASE));
  }

  /** Every pair of worlds of these sizes. */
  void cross(List<Integer> sizes) {
    for (int from : sizes) {
      for (int to : sizes) {
        if (from != to) {
          cross(World.of(HEADS, from), World.of(HEADS, to));
        }
      }
    }
    cross(World.of(LATENTS, 2), World.of(LATENTS, 4));
  }

  private void cross(World from, World to) {
    try (RawRedis raw = new RawRedis(run.url(DATABASE)).flush();
        RedisConnector java = sides.java(run.url(DATABASE), Path.AUTO)) {
      for (int chunk = 0; chunk < TOKENS.size(); chunk++) {
        for (int rank = 0; rank < writers(from); rank++) {
          put(from, rank, chunk);
        }
        assertThat(exists(to, to.size() - 1, chunk)).isFalse();
        assertThat(reshard(java, from, to, chunk)).isInstanceOf(ReshardOutcome.Written.class);
        for (int rank = 0; rank < to.size(); rank++) {
          assertThat(exists(to, rank, chunk)).isTrue();
          isRead(to, rank, chunk);
        }
      }
      assertThat(raw.dump()).hasSize(2 * TOKENS.size() * (writers(from) + to.size()));
    }
  }

  /** Of an MLA model, whose ranks have all the same, the first one writes. */
  private static int writers(World world) {
    return world.model().mla() ? 1 : world.size();
  }

  private static CacheEngineKey key(World world, int rank, int chunk) {
    return CacheEngineKey.of(MODEL, world.size(), rank, 0x40 + chunk, DType.BFLOAT16);
  }

  private static ReshardOutcome reshard(RedisConnector java, World from, World to, int chunk) {
    return new Resharder(java, Resharding.between(from, to), Runnable::run)
        .reshard(key(from, 0, chunk))
        .toCompletableFuture()
        .join();
  }

  /** A rank's LMCache. */
  private String session(World world, int rank) {
    boolean mla = world.model().mla();
    String session = "rank " + rank + " of " + world.size() + (mla ? " with MLA" : "");
    if (peer.isNew(session)) {
      KvGeometry geometry = world.geometry(rank);
      peer.call(
          "open",
          "session",
          session,
          "url",
          run.url(DATABASE),
          "model",
          MODEL,
          "world_size",
          world.size(),
          "worker_id",
          rank,
          "layers",
          geometry.layers(),
          "heads",
          geometry.kvHeadsPerRank(),
          "head_size",
          geometry.headSize(),
          "use_mla",
          mla,
          "chunk_size",
          geometry.chunkSize(),
          "max_local_cpu_size",
          0.005);
    }
    return session;
  }

  private void put(World world, int rank, int chunk) {
    KvGeometry geometry = world.geometry(rank);
    peer.call(
        "put",
        "session",
        session(world, rank),
        "key",
        Sample.keyFields(key(world, rank, chunk)),
        "fmt",
        geometry.chunkFormat().name(),
        "shapes",
        List.of(dims(geometry, chunk)),
        "dtypes",
        List.of(geometry.dtype().torchName()),
        "payload",
        Json.object("base64", Base64.getEncoder().encodeToString(payload(world, rank, chunk))));
  }

  private boolean exists(World world, int rank, int chunk) {
    JsonNode key = Sample.keyFields(key(world, rank, chunk));
    return peer.call("exists", "session", session(world, rank), "key", key)
        .get("exists")
        .booleanValue();
  }

  private void isRead(World world, int rank, int chunk) {
    JsonNode key = Sample.keyFields(key(world, rank, chunk));
    JsonNode got = peer.call("get", "session", session(world, rank), "key", key, "want", "base64");
    assertThat(got.path("found").asBoolean()).as("%s", got).isTrue();
    assertThat(got.get("shapes").get(0)).isEqualTo(Json.node(dims(world.geometry(rank), chunk)));
    assertThat(got.get("dtypes").get(0).textValue()).isEqualTo(DType.BFLOAT16.torchName());
    assertThat(Base64.getDecoder().decode(got.get("base64").textValue()))
        .isEqualTo(payload(world, rank, chunk));
  }

  private static List<Long> dims(KvGeometry geometry, int chunk) {
    Shape shape = geometry.chunkShape(TOKENS.get(chunk));
    List<Long> dims = new ArrayList<>();
    for (int i = 0; i < shape.rank(); i++) {
      dims.add(shape.dim(i));
    }
    return dims;
  }

  /**
   * What vLLM gives a rank: consecutive heads, or with more ranks than heads the one they share.
   */
  private static byte[] payload(World world, int rank, int chunk) {
    KvGeometry model = world.model();
    int tokens = TOKENS.get(chunk);
    int heads = Math.max(1, model.kvHeads() / world.size());
    int first = rank / Math.max(1, world.size() / model.kvHeads()) * heads;
    int tensors = model.mla() ? 1 : 2;
    ByteBuffer bytes =
        ByteBuffer.allocate(2 * tensors * model.layers() * tokens * heads * model.headSize())
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int row = 0; row < tensors * model.layers() * tokens; row++) {
      for (int at = first * model.headSize(); at < (first + heads) * model.headSize(); at++) {
        bytes.putShort((short) (row * model.kvHeads() * model.headSize() + at + chunk));
      }
    }
    return bytes.array();
  }
}
