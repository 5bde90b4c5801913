/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.LmcacheVersion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkedTokenDatabaseTest {

  private static ChunkedTokenDatabase.Builder fromZero() {
    return HashVectors.llama().noneHash(NoneHash.zero());
  }

  @Test
  void cutsIntoChunksOf256AndLeavesTheRest() {
    List<TokenChunk> chunks = fromZero().build().processTokens(new int[600]);

    assertThat(chunks).extracting(TokenChunk::start).containsExactly(0, 256);
    assertThat(chunks).extracting(TokenChunk::end).containsExactly(256, 512);
  }

  @ParameterizedTest
  @CsvSource({"0.3.3,3", "0.3.10,3", "0.3.10.post2,3", "0.3.11,2", "0.5.6,2"})
  void savesTheShortChunkByDefaultUpTo0310(String version, int chunks) {
    ChunkedTokenDatabase database =
        fromZero()
            .version(LmcacheVersion.parse(version))
            .pythonVersion(new PythonVersion(3, 12))
            .build();

    assertThat(database.processTokens(new int[600])).hasSize(chunks);
    assertThat(database.chunkCount(600)).isEqualTo(chunks);
  }

  @Test
  void hashesTheSameWhateverTheNumberOfLanes() {
    Random random = new Random(7);
    int[] tokens = IntStream.generate(() -> random.nextInt(1000) - 3).limit(23 * 3 + 2).toArray();
    ChunkedTokenDatabase database = fromZero().chunkSize(3).saveUnfullChunk(true).build();
    List<TokenChunk> all = database.processTokens(tokens);

    assertThat(all).hasSize(24);
    for (int n = 0; n <= 23; n++) {
      int[] prefix = Arrays.copyOf(tokens, n * 3);
      assertThat(database.processTokens(prefix)).isEqualTo(all.subList(0, n));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"builtin", "sha256_cbor", "sha256_cbor_64bit"})
  void hashesLongsAsInts(String algorithm) {
    int[] tokens = {
      0, 23, 24, -1, -2, -257, 255, 256, 65535, 65536, Integer.MAX_VALUE, Integer.MIN_VALUE
    };
    long[] wide = IntStream.of(tokens).asLongStream().toArray();
    ChunkedTokenDatabase database =
        fromZero().hashAlgorithm(HashAlgorithm.parse(algorithm)).chunkSize(4).build();

    assertThat(database.processTokens(tokens)).hasSize(3).isEqualTo(database.processTokens(wide));
  }

  @Test
  void maskBeyondThePromptLeavesNothing() {
    ChunkedTokenDatabase database = fromZero().chunkSize(4).build();

    assertThat(database.processTokens(new int[8], 8)).isEmpty();
    assertThat(database.processTokens(new int[8], 400)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.3.1", "0.4.3", "0.5.6"})
  void maskHidesChunksAndKeepsHashes(String version) {
    ChunkedTokenDatabase database =
        fromZero()
            .version(LmcacheVersion.parse(version))
            .hashAlgorithm(
                version.equals("0.3.1") ? HashAlgorithm.BUILTIN : HashAlgorithm.SHA256_CBOR)
            .chunkSize(4)
            .build();
    int[] tokens = IntStream.range(0, 16).toArray();
    List<TokenChunk> all = database.processTokens(tokens);

    assertThat(all).hasSize(4);
    assertThat(database.processTokens(tokens, 8)).isEqualTo(all.subList(2, 4));
  }

  @Test
  void refusesANegativeMask() {
    assertThatThrownBy(() -> fromZero().build().processTokens(new int[8], -256))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maskedPrefix is -256, allowed: 0 or more");
  }

  @Test
  void hashesAreKeptAsUnsignedTextForSha256Cbor() {
    ChunkedTokenDatabase database = fromZero().hashAlgorithm(HashAlgorithm.SHA256_CBOR).build();

    assertThat(
            HashVectors.chunkHashes(
                database.keysFromHashes(new long[] {-1, 15}, new int[] {256, 7})))
        .containsExactly("ffffffffffffffff", "f");
  }

  @Test
  void roundTripsHashesOfATokenlessLookup() {
    int[] tokens = IntStream.range(0, 1024).toArray();
    for (HashAlgorithm algorithm : List.of(HashAlgorithm.BUILTIN, HashAlgorithm.SHA256_CBOR)) {
      ChunkedTokenDatabase database = fromZero().hashAlgorithm(algorithm).build();
      long[] hashes = new long[4];

      assertThat(database.hashTokens(tokens, hashes)).isEqualTo(4);
      assertThat(database.keysFromHashes(hashes, new int[] {256, 256, 256, 256}))
          .isEqualTo(database.processTokens(tokens));
    }
  }

  @Test
  void refusesHashesAndLengthsOfDifferentNumber() {
    assertThatThrownBy(() -> fromZero().build().keysFromHashes(new long[2], new int[3]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("2 hashes, but 3 lengths");
  }

  @Test
  void refusesTooLittleRoomForHashes() {
    assertThatThrownBy(() -> fromZero().build().hashTokens(new int[1024], new long[3]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("room for 3 hashes, the prompt has 4 chunks");
  }

  @Test
  void refusesDigestsWhereLongsAreAskedFor() {
    ChunkedTokenDatabase database =
        fromZero()
            .version(LmcacheVersion.of(0, 4, 5))
            .hashAlgorithm(HashAlgorithm.SHA256_CBOR)
            .build();

    assertThatThrownBy(() -> database.hashTokens(new int[256], new long[1]))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("32 bytes");
  }

  @ParameterizedTest
  @CsvSource({
    "sha256_cbor,0.3.7,does not know sha256_cbor: it hashes with builtin",
    "sha256_cbor,0.3.1,does not know sha256_cbor",
    "sha256_cbor,0.3.9,fails on the digests of sha256_cbor",
    "sha256_cbor,0.3.12,fails on the digests of sha256_cbor",
    "sha256_cbor_64bit,0.3.2,does not know sha256_cbor_64bit",
    "sha256_cbor_64bit,0.3.9,does not know sha256_cbor_64bit",
    "sha256,0.5.6,pickle",
    "xxhash_cbor,0.5.6,XXH3-128",
    "builtin,0.3.4,hashes None",
    "builtin,0.3.15,an unknown Python"
  })
  void refusesWhatCannotBeReproduced(String algorithm, String version, String reason) {
    ChunkedTokenDatabase.Builder builder =
        fromZero()
            .hashAlgorithm(HashAlgorithm.parse(algorithm))
            .version(LmcacheVersion.parse(version));

    assertThatThrownBy(builder::build)
        .isInstanceOf(UnreproducibleHashException.class)
        .hasMessageContaining(reason);
  }

  @ParameterizedTest
  @CsvSource({
    "sha256_cbor_64bit,0.3.3",
    "sha256_cbor_64bit,0.3.7",
    "sha256_cbor_64bit,0.3.9.post2",
    "sha256_cbor_64bit,0.5.6",
    "sha256_cbor,0.3.13",
    "sha256_cbor,0.5.6"
  })
  void takesEachAlgorithmWhereLmcacheHasIt(String algorithm, String version) {
    ChunkedTokenDatabase database =
        fromZero()
            .hashAlgorithm(HashAlgorithm.parse(algorithm))
            .version(LmcacheVersion.parse(version))
            .build();

    assertThat(database.processTokens(new int[256])).hasSize(1);
  }

  @Test
  void refusesSeedsThatDontDetermineTheStart() {
    assertThatThrownBy(() -> NoneHash.ofSeed(null))
        .isInstanceOf(UnreproducibleHashException.class)
        .hasMessageContaining("PYTHONHASHSEED is not set");
    assertThatThrownBy(
            () ->
                HashVectors.llama()
                    .pythonVersion(new PythonVersion(3, 12))
                    .noneHash(NoneHash.ofSeed("random"))
                    .build())
        .isInstanceOf(UnreproducibleHashException.class)
        .hasMessageContaining("\"random\"");
    assertThatThrownBy(
            () ->
                HashVectors.llama()
                    .version(LmcacheVersion.of(0, 3, 3))
                    .pythonVersion(new PythonVersion(3, 12))
                    .noneHash(NoneHash.ofSeed("0"))
                    .build())
        .isInstanceOf(UnreproducibleHashException.class)
        .hasMessageContaining("when it was imported");
    assertThatThrownBy(() -> HashVectors.llama().noneHash(NoneHash.ofDigest(new byte[32])).build())
        .isInstanceOf(UnreproducibleHashException.class)
        .hasMessageContaining("bytes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "4294967296", "-1", "+1", "0x10", "Random", " 0", "1_0"})
  void refusesSeedsThatPythonRefuses(String seed) {
    assertThatThrownBy(() -> NoneHash.ofSeed(seed))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("PYTHONHASHSEED is \"" + seed + "\"");
  }

  @Test
  void refusesAMissingStartAndAMissingPython() {
    assertThatThrownBy(() -> HashVectors.llama().build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("noneHash must be set");
    assertThatThrownBy(() -> HashVectors.llama().noneHash(NoneHash.ofSeed("0")).build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("pythonVersion must be set");
    assertThatThrownBy(() -> ChunkedTokenDatabase.builder().noneHash(NoneHash.zero()).build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("modelName and dtype must be set");
  }

  @Test
  void refusesNumbersOutOfRange() {
    assertThatThrownBy(() -> fromZero().chunkSize(0).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("chunkSize is 0, allowed: 1 or more");
    assertThatThrownBy(() -> fromZero().worldSize(0).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("worldSize is 0, allowed: 1 or more");
    assertThatThrownBy(() -> fromZero().workerId(-1).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("workerId is -1, allowed: 0 or more");
  }

  @Test
  void isSafeForManyThreads() throws Exception {
    Random random = new Random(3);
    int[] tokens = IntStream.generate(() -> random.nextInt(128_256)).limit(4096).toArray();
    for (HashAlgorithm algorithm : List.of(HashAlgorithm.BUILTIN, HashAlgorithm.SHA256_CBOR)) {
      ChunkedTokenDatabase database = fromZero().hashAlgorithm(algorithm).build();
      List<TokenChunk> expected = database.processTokens(tokens);
      ExecutorService pool = Executors.newFixedThreadPool(8);
      try {
        List<Future<List<TokenChunk>>> results = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
          results.add(pool.submit(() -> database.processTokens(tokens)));
        }
        for (Future<List<TokenChunk>> result : results) {
          assertThat(result.get()).isEqualTo(expected);
        }
      } finally {
        pool.shutdownNow();
      }
    }
  }

  @Test
  void namesAlgorithmsAsLmcachesConfiguration() {
    for (HashAlgorithm algorithm : HashAlgorithm.values()) {
      assertThat(HashAlgorithm.parse(algorithm.configName())).isSameAs(algorithm);
    }
    assertThatThrownBy(() -> HashAlgorithm.parse("blake3"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "unknown hash algorithm \"blake3\" (known: builtin, sha256_cbor, sha256_cbor_64bit,"
                + " sha256, xxhash_cbor)");
  }

  @Test
  void readsPythonVersions() {
    assertThat(PythonVersion.parse("3.11")).isEqualTo(new PythonVersion(3, 11));
    assertThat(PythonVersion.parse("3.8.18")).isEqualTo(new PythonVersion(3, 8)).hasToString("3.8");
    for (String bad : List.of("3", "3.7", "3.15", "2.7", "3.x", "")) {
      assertThatThrownBy(() -> PythonVersion.parse(bad))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
