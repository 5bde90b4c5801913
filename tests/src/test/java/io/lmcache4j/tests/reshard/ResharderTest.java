/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.reshard;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.reshard.Resharding;
import io.lmcache4j.core.reshard.World;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.redis.reshard.ReshardOutcome;
import io.lmcache4j.redis.reshard.Resharder;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What one world has stored, another gets; every element says where in the model it belongs. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init") // JUnit makes it, once for all.
final class ResharderTest {

  /** Four heads, so that eight workers share them; eight bytes of an element hold its number. */
  private static final KvGeometry MODEL = KvGeometry.of(3, 4, 8, DType.FLOAT64).withChunkSize(16);

  private static final Map<String, String> TAGS = Map.of("user", "alice");

  private LocalRedis redis;
  private DirectMemory memory;
  private RedisConnector connector;

  @BeforeAll
  void connect() {
    redis = LocalRedis.start();
    memory = DirectMemory.create(64 << 20);
    connector =
        RedisConnector.open(RedisConnectorOptions.builder(redis.url()).memory(memory).build());
  }

  @AfterAll
  void disconnect() {
    connector.close();
    memory.close();
    redis.close();
  }

  @BeforeEach
  void empty() {
    connector.sync().clear("m");
  }

  @AfterEach
  void nothingIsLeased() {
    assertThat(memory.leases()).isZero();
  }

  private static CacheEngineKey key(World world, int worker, int chunk) {
    return new CacheEngineKey(
        "m", world.size(), worker, Integer.toHexString(0x100 + chunk), DType.BFLOAT16, TAGS);
  }

  private static long number(int tensor, int layer, int token, int head, int dim, int chunk) {
    long number = (long) chunk * 2 + tensor;
    number = number * MODEL.layers() + layer;
    number = number * MODEL.chunkSize() + token;
    number = number * MODEL.kvHeads() + head;
    return number * MODEL.headSize() + dim + 1;
  }

  /** What a worker has, in the order of the layout; vLLM's formulas. */
  private static ByteBuffer payload(World world, int worker, int tokens, int chunk) {
    int tp = world.tensorParallelSize();
    int heads = Math.max(1, MODEL.kvHeads() / tp);
    int firstHead = worker / Math.max(1, tp / MODEL.kvHeads()) * heads;
    ByteBuffer bytes =
        ByteBuffer.allocate(2 * MODEL.layers() * tokens * heads * MODEL.headSize() * Long.BYTES);
    for (int tensor = 0; tensor < 2; tensor++) {
      for (int layer = 0; layer < MODEL.layers(); layer++) {
        for (int token = 0; token < tokens; token++) {
          putHeads(bytes, tensor, layer, token, firstHead, heads, chunk);
        }
      }
    }
    return bytes.flip();
  }

  private static ByteBuffer layer(World world, int worker, int tokens, int layer) {
    int heads = MODEL.kvHeads() / world.tensorParallelSize();
    ByteBuffer bytes = ByteBuffer.allocate(2 * tokens * heads * MODEL.headSize() * Long.BYTES);
    for (int token = 0; token < tokens; token++) {
      for (int tensor = 0; tensor < 2; tensor++) {
        putHeads(bytes, tensor, layer, token, worker * heads, heads, 0);
      }
    }
    return bytes.flip();
  }

  private static void putHeads(
      ByteBuffer bytes, int tensor, int layer, int token, int firstHead, int heads, int chunk) {
    for (int head = firstHead; head < firstHead + heads; head++) {
      for (int dim = 0; dim < MODEL.headSize(); dim++) {
        bytes.putLong(number(tensor, layer, token, head, dim, chunk));
      }
    }
  }

  private void store(ChunkKey key, RemoteMetadata metadata, ByteBuffer payload) {
    var lease = Objects.requireNonNull(memory.tryLease(payload.remaining()));
    lease.nio().put(payload);
    try (KvChunk chunk = new KvChunk(key, metadata, lease)) {
      assertThat(connector.sync().put(chunk)).isInstanceOf(PutOutcome.Stored.class);
    }
  }

  private void storeAll(World world, int tokens, int chunk) {
    for (int worker = 0; worker < world.size(); worker++) {
      KvGeometry geometry = world.geometry(worker);
      store(
          key(world, worker, chunk),
          RemoteMetadata.of(geometry.chunkFormat(), geometry.chunkShape(tokens), geometry.dtype()),
          payload(world, worker, tokens, chunk));
    }
  }

  private void holds(ChunkKey key, Shape shape, ByteBuffer expected) {
    GetOutcome outcome = connector.sync().get(key);
    assertThat(outcome).isInstanceOf(GetOutcome.Hit.class);
    try (KvChunk chunk = ((GetOutcome.Hit) outcome).chunk()) {
      assertThat(chunk.payload().nio()).isEqualTo(expected);
      for (int i = 0; i < shape.rank(); i++) {
        assertThat(chunk.metadata().shapes().get(0).dim(i)).isEqualTo(shape.dim(i));
      }
    }
  }

  private void holdsAll(World world, int tokens, int chunk) {
    for (int worker = 0; worker < world.size(); worker++) {
      holds(
          key(world, worker, chunk),
          world.geometry(worker).chunkShape(tokens),
          payload(world, worker, tokens, chunk));
    }
  }

  private Resharder resharder(World from, World to) {
    return new Resharder(connector, Resharding.between(from, to), Runnable::run);
  }

  private ReshardOutcome reshard(World from, World to, ChunkKey chunk) {
    return resharder(from, to).reshard(chunk).toCompletableFuture().join();
  }

  @ParameterizedTest
  @CsvSource({"1,2", "2,1", "2,4", "4,2", "4,8", "8,4", "8,1", "1,8", "2,2"})
  void aReaderOfTheOtherWorldFindsEveryByte(int fromTp, int toTp) throws Exception {
    World from = World.of(MODEL, fromTp);
    World to = World.of(MODEL, toTp);
    // Full ones, and a short one at the end.
    List<CacheEngineKey> chunks = new ArrayList<>();
    for (int chunk = 0; chunk < 5; chunk++) {
      storeAll(from, chunk == 4 ? 3 : 16, chunk);
      chunks.add(key(from, from.size() - 1, chunk));
    }
    List<ReshardOutcome> outcomes = new ArrayList<>();
    resharder(from, to).reshardAll(chunks.iterator(), 2, outcomes::add);
    assertThat(outcomes)
        .hasSize(5)
        .allMatch(
            fromTp == toTp
                ? ReshardOutcome.Present.class::isInstance
                : ReshardOutcome.Written.class::isInstance);
    for (int chunk = 0; chunk < 5; chunk++) {
      holdsAll(to, chunk == 4 ? 3 : 16, chunk);
    }
    // Again: nothing is left to do.
    outcomes.clear();
    resharder(from, to).reshardAll(chunks.iterator(), 5, outcomes::add);
    assertThat(outcomes).hasSize(5).allMatch(ReshardOutcome.Present.class::isInstance);
  }

  @Test
  void onlyWhatIsMissingIsWrittenAndOnlyWhatThatNeedsIsRead() {
    World from = World.of(MODEL, 4);
    World to = World.of(MODEL, 2);
    storeAll(from, 16, 0);
    assertThat(reshard(from, to, key(from, 0, 0)))
        .isEqualTo(
            new ReshardOutcome.Written(
                key(from, 0, 0), List.of(0, 1), MODEL.bytesPerChunk(), MODEL.bytesPerChunk()));
    connector.sync().remove(key(to, 1, 0));
    // Not needed for the one that is missing.
    connector.sync().remove(key(from, 0, 0));
    assertThat(reshard(from, to, key(from, 0, 0)))
        .isEqualTo(
            new ReshardOutcome.Written(
                key(from, 0, 0), List.of(1), MODEL.bytesPerChunk() / 2, MODEL.bytesPerChunk() / 2));
    holdsAll(to, 16, 0);
  }

  @Test
  void whenASourceIsMissingNothingIsWritten() {
    World from = World.of(MODEL, 4);
    World to = World.of(MODEL, 1);
    storeAll(from, 16, 0);
    connector.sync().remove(key(from, 1, 0));
    connector.sync().remove(key(from, 3, 0));
    assertThat(reshard(from, to, key(from, 0, 0)))
        .isEqualTo(new ReshardOutcome.Incomplete(key(from, 0, 0), Set.of(1, 3)));
    assertThat(connector.sync().exists(key(to, 0, 0))).isFalse();
  }

  @Test
  void aSourceThatIsNotOfItsWorldIsRefused() {
    World from = World.of(MODEL, 2);
    World to = World.of(MODEL, 1);
    storeAll(from, 16, 0);
    KvGeometry geometry = from.geometry(1);
    store(
        key(from, 1, 0),
        RemoteMetadata.of(geometry.chunkFormat(), geometry.chunkShape(15), geometry.dtype()),
        payload(from, 1, 15, 0));
    fails(from, to, "worker's KV_2LTD of 16");
    store(
        key(from, 1, 0),
        RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, 3, 16, 8), DType.FLOAT64),
        ByteBuffer.allocate(2 * 3 * 16 * 8 * Long.BYTES));
    fails(from, to, "a worker of this world writes");
    store(
        key(from, 1, 0),
        RemoteMetadata.of(MemoryFormat.BINARY_BUFFER, Shape.of(100), DType.UINT8),
        ByteBuffer.allocate(100));
    fails(from, to, "cannot be cut up");
    assertThat(connector.sync().exists(key(to, 0, 0))).isFalse();
  }

  private void fails(World from, World to, String why) {
    ReshardOutcome outcome = reshard(from, to, key(from, 0, 0));
    assertThat(outcome).isInstanceOf(ReshardOutcome.Failed.class);
    assertThat(((ReshardOutcome.Failed) outcome).cause())
        .hasMessageContaining(why)
        .hasMessageContaining(key(from, 1, 0).toString());
  }

  @Test
  void withoutMemoryNothingIsWrittenAndNothingIsLost() {
    World from = World.of(MODEL, 2);
    World to = World.of(MODEL, 1);
    storeAll(from, 16, 0);
    try (DirectMemory small = DirectMemory.create(2 * 16 * 1024);
        RedisConnector poor =
            RedisConnector.open(RedisConnectorOptions.builder(redis.url()).memory(small).build())) {
      ReshardOutcome outcome =
          new Resharder(poor, Resharding.between(from, to), Runnable::run)
              .reshard(key(from, 0, 0))
              .toCompletableFuture()
              .join();
      assertThat(((ReshardOutcome.Failed) outcome).cause()).hasMessageContaining("no memory");
      assertThat(small.leases()).isZero();
    }
    assertThat(connector.sync().exists(key(to, 0, 0))).isFalse();
  }

  @Test
  void layersAreReshardedOneByOne() {
    World from = World.of(MODEL, 4);
    World to = World.of(MODEL, 2);
    for (int layer = 0; layer < MODEL.layers(); layer++) {
      int number = layer;
      IntStream.range(0, 4)
          .forEach(
              worker ->
                  store(
                      new LayerCacheEngineKey(key(from, worker, 0), number),
                      RemoteMetadata.of(
                          MemoryFormat.KV_T2D, from.geometry(worker).layerShape(16), DType.FLOAT64),
                      layer(from, worker, 16, number)));
      assertThat(reshard(from, to, new LayerCacheEngineKey(key(from, 2, 0), layer)))
          .isInstanceOf(ReshardOutcome.Written.class);
      for (int worker = 0; worker < 2; worker++) {
        holds(
            new LayerCacheEngineKey(key(to, worker, 0), layer),
            to.geometry(worker).layerShape(16),
            layer(to, worker, 16, layer));
      }
    }
  }

  /** Before LMCache 0.3.10 keys of an MLA model named its ranks, of which the first one wrote. */
  @Test
  void latentsOfOldKeysAreGivenToNewOnes() {
    KvGeometry model = KvGeometry.ofMla(3, 24, DType.UINT8);
    World from = World.of(model, 4);
    World to = World.of(model, 1);
    ByteBuffer bytes = ByteBuffer.allocate(3 * 16 * 24);
    for (int at = 0; at < bytes.capacity(); at++) {
      bytes.put(at, (byte) (at * 31));
    }
    Shape whole = Shape.of(1, 3, 16, 24);
    store(
        key(from, 0, 0),
        RemoteMetadata.of(MemoryFormat.KV_MLA_FMT, whole, DType.UINT8),
        bytes.duplicate());
    assertThat(reshard(from, to, key(from, 0, 0))).isInstanceOf(ReshardOutcome.Written.class);
    holds(key(to, 0, 0), whole, bytes);

    Shape layer = Shape.of(16, 24);
    ByteBuffer part = bytes.duplicate().limit(16 * 24);
    store(
        new LayerCacheEngineKey(key(from, 0, 0), 1),
        RemoteMetadata.of(MemoryFormat.KV_MLA_FMT, layer, DType.UINT8),
        part.duplicate());
    assertThat(reshard(from, to, new LayerCacheEngineKey(key(from, 0, 0), 1)))
        .isInstanceOf(ReshardOutcome.Written.class);
    holds(new LayerCacheEngineKey(key(to, 0, 0), 1), layer, part);
  }
}
