/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.model.KnownModel;
import io.lmcache4j.core.reshard.World;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is wrong in Redis is found when it is loaded. */
@SuppressWarnings("NullAway.Init") // Made before each test.
final class RanksTest {

  private static final int TOKENS = 6;

  /** Of all ranks. */
  private static final long BYTES = TOKENS * KnownModel.LLAMA_3_1_8B.geometry().bytesPerToken();

  private static final MatrixSettings SETTINGS =
      new MatrixSettings(KnownModel.LLAMA_3_1_8B, List.of(2), List.of(2), TOKENS, 4, true, 1);
  private static final World WORLD = SETTINGS.world(2);
  private static final NumberedPayload PAYLOAD =
      new NumberedPayload(SETTINGS.geometry(), TOKENS, 1);

  private LocalRedis redis;
  private DirectMemory memory;
  private RedisConnector connector;
  private Ranks ranks;

  @BeforeEach
  void store() {
    redis = LocalRedis.start();
    memory = DirectMemory.create(SETTINGS.hostBytes());
    connector = connect();
    ranks = new Ranks(SETTINGS, memory, this::connect);
    assertThat(ranks.store(WORLD, PAYLOAD).bytes()).isEqualTo(BYTES);
  }

  private RedisConnector connect() {
    return RedisConnector.open(RedisConnectorOptions.builder(redis.url()).memory(memory).build());
  }

  @AfterEach
  void nothingIsLeased() {
    assertThat(memory.leases()).isZero();
    ranks.close();
    connector.close();
    memory.close();
    redis.close();
  }

  private void loadFails(String... said) {
    assertThatThrownBy(() -> ranks.load(WORLD, PAYLOAD))
        .isInstanceOf(MatrixException.class)
        .message()
        .contains(said);
  }

  /** Keys of both workers of the full chunk, then of the short one. */
  private static ChunkKey key(int i) {
    return SETTINGS.keys(WORLD).get(i);
  }

  @Test
  void whatWasStoredIsLoaded() {
    assertThat(ranks.load(WORLD, PAYLOAD).bytes()).isEqualTo(BYTES);
  }

  @Test
  void theChunkOfAnotherRankIsFound() {
    try (KvChunk other = ((GetOutcome.Hit) connector.sync().get(key(0))).chunk();
        KvChunk chunk = new KvChunk(key(1), other.metadata(), other.payload().retain())) {
      assertThat(connector.sync().put(chunk)).isInstanceOf(PutOutcome.Stored.class);
    }
    loadFails(key(1).toString(), "the key of layer 0, token 0, head 4, from dimension 0");
  }

  @Test
  void oneWrongBitIsFound() {
    try (KvChunk chunk = ((GetOutcome.Hit) connector.sync().get(key(3))).chunk()) {
      int last = chunk.payload().length() - 1;
      chunk.payload().nio().put(last, (byte) (chunk.payload().nio().get(last) ^ 1));
      assertThat(connector.sync().put(chunk)).isInstanceOf(PutOutcome.Stored.class);
    }
    loadFails(key(3).toString(), "the value of layer 31, token 5, head 7, from dimension 124");
  }

  @Test
  void aChunkThatIsGoneIsFound() {
    connector.sync().remove(key(2));
    loadFails("a chunk that was stored was not got", key(2).toString());
  }
}
