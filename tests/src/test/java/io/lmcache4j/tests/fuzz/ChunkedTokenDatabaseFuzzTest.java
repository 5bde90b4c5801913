/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.PythonVersion;
import io.lmcache4j.core.token.TokenChunk;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Any tokens in chunks of any size: equal prefixes have equal keys, and nothing else fails. */
class ChunkedTokenDatabaseFuzzTest {

  private static final String[] VERSIONS = {
    "0.3.0", "0.3.3", "0.3.4", "0.3.6", "0.3.9", "0.3.13", "0.3.15", "0.4.0", "0.4.6", "0.5.6"
  };
  private static final int MAX_TOKENS = 1500;

  @FuzzTest
  void prefixesHaveEqualKeys(FuzzedDataProvider data) {
    ChunkedTokenDatabase database = database(data);
    if (database == null) {
      return;
    }
    int masked = data.consumeBoolean() ? 0 : data.consumeInt();
    int kept = data.consumeInt(0, MAX_TOKENS);
    int[] tokens = data.consumeInts(MAX_TOKENS);
    Allocation.isPaidFor(tokens.length, 1024, () -> database.processTokens(tokens));

    List<TokenChunk> chunks = database.processTokens(tokens);
    tile(database, tokens.length, chunks);
    long[] wide = Arrays.stream(tokens).asLongStream().toArray();
    assertThat(database.processTokens(wide)).isEqualTo(chunks);

    int[] prefix = Arrays.copyOf(tokens, Math.min(kept, tokens.length));
    List<TokenChunk> ofPrefix = database.processTokens(prefix);
    int whole = Math.min(prefix.length / database.chunkSize(), ofPrefix.size());
    assertThat(ofPrefix.subList(0, whole)).isEqualTo(chunks.subList(0, whole));
    behindMask(database, tokens, masked, chunks);
  }

  private static void tile(ChunkedTokenDatabase database, int length, List<TokenChunk> chunks) {
    assertThat(chunks).hasSize(database.chunkCount(length));
    int at = 0;
    for (TokenChunk chunk : chunks) {
      assertThat(chunk.start()).isEqualTo(at);
      assertThat(chunk.end() - at).isBetween(1, database.chunkSize());
      at = chunk.end();
    }
    assertThat(length - at).isBetween(0, database.chunkSize() - 1);
  }

  private static void behindMask(
      ChunkedTokenDatabase database, int[] tokens, int masked, List<TokenChunk> chunks) {
    List<TokenChunk> behind;
    try {
      behind = database.processTokens(tokens, masked);
    } catch (LmcacheException | IllegalArgumentException e) {
      assertThat(masked < 0 || masked % database.chunkSize() != 0).isTrue();
      return;
    }
    int hidden = Math.min(chunks.size(), masked / database.chunkSize());
    assertThat(behind).isEqualTo(chunks.subList(hidden, chunks.size()));
  }

  private static @Nullable ChunkedTokenDatabase database(FuzzedDataProvider data) {
    ChunkedTokenDatabase.Builder builder =
        ChunkedTokenDatabase.builder()
            .modelName(data.consumeBoolean() ? "m" : data.consumeString(8))
            .dtype(data.pickValue(DType.values()))
            .version(LmcacheVersion.parse(data.pickValue(VERSIONS)))
            .hashAlgorithm(data.pickValue(HashAlgorithm.values()))
            .chunkSize(data.consumeBoolean() ? data.consumeInt(1, 16) : data.consumeInt())
            .useMla(data.consumeBoolean());
    if (data.consumeBoolean()) {
      builder.saveUnfullChunk(data.consumeBoolean());
    }
    try {
      if (data.consumeBoolean()) {
        builder.pythonVersion(new PythonVersion(3, data.consumeInt(7, 15)));
      }
      switch (data.consumeInt(0, 3)) {
        case 0 -> builder.noneHash(NoneHash.ofSeed(data.consumeString(11)));
        case 1 -> builder.noneHash(NoneHash.of(new BigInteger(1, data.consumeBytes(9)).negate()));
        case 2 -> builder.noneHash(NoneHash.ofDigest(data.consumeBytes(32)));
        default -> builder.noneHash(NoneHash.zero());
      }
      return builder.build();
    } catch (LmcacheException | IllegalArgumentException | IllegalStateException e) {
      return null;
    }
  }
}
