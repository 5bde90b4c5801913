/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway.Init") // Made before each test.
final class ReshardCommandTest {

  private static final int TOKENS = 256;

  private LocalRedis redis;
  private RedisConnector connector;

  @BeforeEach
  void store() {
    redis = LocalRedis.start();
    connector = RedisConnector.open(redis.url());
    // One layer of two heads of one uint8: worker w writes bytes of w + 1.
    for (int chunk = 0; chunk < 3; chunk++) {
      for (int worker = 0; worker < 2; worker++) {
        byte[] bytes = new byte[2 * TOKENS];
        Arrays.fill(bytes, (byte) (worker + 1));
        put(key(2, worker, chunk), Shape.of(2, 1, TOKENS, 1), bytes);
      }
    }
  }

  @AfterEach
  void stop() {
    connector.close();
    redis.close();
  }

  private static ChunkKey key(int worldSize, int worker, int chunk) {
    return CacheEngineKey.of("m", worldSize, worker, 0x10 + chunk, DType.UINT8);
  }

  private void put(ChunkKey key, Shape shape, byte[] bytes) {
    try (DirectMemory memory = DirectMemory.create(1 << 16);
        KvChunk chunk =
            new KvChunk(
                key,
                RemoteMetadata.of(MemoryFormat.KV_2LTD, shape, DType.UINT8),
                Objects.requireNonNull(memory.tryLease(bytes.length)))) {
      chunk.payload().nio().put(bytes);
      assertThat(connector.sync().put(chunk)).isInstanceOf(PutOutcome.Stored.class);
    }
  }

  private Run reshard(String input, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "reshard",
                "--url",
                redis.url(),
                "--model",
                "m",
                "--from-tp",
                "2",
                "--to-tp",
                "1",
                "--layers",
                "1",
                "--kv-heads",
                "2",
                "--head-size",
                "1",
                "--dtype",
                "uint8"));
    args.addAll(List.of(more));
    return Run.with(Map.of(), input, args.toArray(String[]::new));
  }

  private void isWhole(int chunk) {
    GetOutcome outcome = connector.sync().get(key(1, 0, chunk));
    assertThat(outcome).isInstanceOf(GetOutcome.Hit.class);
    try (KvChunk hit = ((GetOutcome.Hit) outcome).chunk()) {
      ByteBuffer bytes = hit.payload().nio();
      assertThat(bytes.remaining()).isEqualTo(4 * TOKENS);
      while (bytes.hasRemaining()) {
        assertThat(bytes.get()).isEqualTo((byte) 1);
        assertThat(bytes.get()).isEqualTo((byte) 2);
      }
    }
  }

  @Test
  void allChunksOfTheModelAreWrittenOnce() {
    Run first = reshard("", "--all", "--json");
    assertThat(first.out())
        .isEqualTo(
            "{\"written\":3,\"present\":0,\"incomplete\":0,\"failed\":0,"
                + "\"readBytes\":3072,\"writtenBytes\":3072}\n");
    assertThat(first.exitCode()).isZero();
    for (int chunk = 0; chunk < 3; chunk++) {
      isWhole(chunk);
    }
    assertThat(reshard("", "--all").out()).startsWith("written 0 chunks").contains("present 3");
  }

  @Test
  void keysAreTakenFromTheCommandLineAndFromStandardInput() {
    assertThat(reshard("", key(2, 1, 0).toString()).exitCode()).isZero();
    isWhole(0);
    assertThat(connector.sync().exists(key(1, 0, 1))).isFalse();
    assertThat(reshard(key(2, 0, 1) + "\n\n" + key(2, 0, 2) + "\n", "-").exitCode()).isZero();
    isWhole(1);
    isWhole(2);
  }

  @Test
  void whatIsWrittenExpiresIfThatIsAsked() {
    assertThat(reshard("", "--ttl", "1h", key(2, 0, 0).toString()).exitCode()).isZero();
    String inspected =
        Run.with(Map.of(), "", "inspect", "--url", redis.url(), key(1, 0, 0).toString()).out();
    assertThat(inspected).containsPattern("ttl +PT(1H|59M)");
  }

  @Test
  void aMissingSourceIsToldAndEndsWithOne() {
    connector.sync().remove(key(2, 1, 1));
    Run run = reshard("", "--all");
    assertThat(run.exitCode()).isEqualTo(ExitCode.ABSENT);
    assertThat(run.err()).contains(key(2, 0, 1).toString()).contains("workers [1]");
    assertThat(run.out()).contains("written 2 chunks").contains("incomplete 1");
    assertThat(connector.sync().exists(key(1, 0, 1))).isFalse();
  }

  @Test
  void whatCannotBeIsRefusedBeforeAnythingIsWritten() {
    Run other = reshard("", key(2, 0, 0).toString(), key(4, 0, 0).toString());
    assertThat(other.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(other.err()).contains("not of m in a world of 2");
    Run heads = reshard("", "--all", "--to-stages", "1,1");
    assertThat(heads.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(heads.err()).contains("the model has 1");
    assertThat(reshard("").exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(connector.sync().exists(key(1, 0, 0))).isFalse();
  }

  /** The chunks of a prompt are found by its tokens, as whoever stored them named them. */
  @Test
  void aPromptIsTakenByItsTokens() {
    String tokens = "1,2,3,4,5,6,7,8,9";
    String[] naming = {"--chunk-size", "4", "--python-hash-seed", "0"};
    Run keys =
        Run.with(
            Map.of(),
            tokens,
            Stream.concat(
                    Stream.of("keys", "--model", "m", "--world-size", "2", "--worker-id"),
                    Stream.concat(Stream.of("0", "--dtype", "uint8", "-"), Stream.of(naming)))
                .toArray(String[]::new));
    List<ChunkKey> chunks = keys.out().lines().map(ChunkKey::parse).toList();
    assertThat(chunks).hasSize(2);
    for (ChunkKey chunk : chunks) {
      for (int worker = 0; worker < 2; worker++) {
        byte[] bytes = new byte[8];
        Arrays.fill(bytes, (byte) (worker + 1));
        put(chunk.withWorkerId(worker), Shape.of(2, 1, 4, 1), bytes);
      }
    }
    Run run =
        reshard(
            tokens,
            Stream.concat(Stream.of("--tokens", "-", "--json"), Stream.of(naming))
                .toArray(String[]::new));
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).contains("\"written\":2").contains("\"writtenBytes\":32}");
    for (ChunkKey chunk : chunks) {
      assertThat(
              connector.sync().exists(CacheEngineKey.of("m", 1, 0, chunk.chunkHash(), DType.UINT8)))
          .isTrue();
    }
    assertThat(connector.sync().exists(key(1, 0, 0))).isFalse();
  }

  private Run reshardOf(String... geometry) {
    return Run.with(
        Map.of(),
        "",
        Stream.concat(
                Stream.of(
                    "reshard", "--url", redis.url(), "--from-tp", "2", "--to-tp", "4", "--all"),
                Stream.of(geometry))
            .toArray(String[]::new));
  }

  @Test
  void aKnownModelNeedsNoNumbers() {
    assertThat(reshardOf("--model", "meta-llama/Llama-3.1-8B-Instruct").exitCode()).isZero();
    assertThat(reshardOf("--model", "/models/mine", "--geometry", "llama-3.3-70b").exitCode())
        .isZero();
    assertThat(
            reshardOf("--model", "deepseek", "--layers", "61", "--latent-size", "576").exitCode())
        .isZero();
  }

  @Test
  void aModelThatIsNotToldWholeIsRefused() {
    Run unknown = reshardOf("--model", "m");
    assertThat(unknown.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(unknown.err()).contains("m: not a known model (llama-3.1-8b, llama-3.3-70b)");
    Run half = reshardOf("--model", "m", "--layers", "2", "--head-size", "3");
    assertThat(half.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(half.err()).contains("given were --layers 2, --head-size 3");
    Run both = reshardOf("--model", "m", "--layers", "2", "--geometry", "llama-3.1-8b");
    assertThat(both.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(both.err()).contains("not together");
  }
}
