/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.reshard.Resharding;
import io.lmcache4j.core.reshard.World;
import io.lmcache4j.core.token.TokenChunk;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class NumberedPayloadTest {

  private static final int TOKENS = 5;
  private static final int START = 8;

  /** Vectors of 16 bytes: two words. */
  private static final KvGeometry MODEL = KvGeometry.of(3, 4, 8, DType.BFLOAT16);

  private static final int HEAD = 16;
  private static final CacheEngineKey KEY = CacheEngineKey.of("m", 1, 0, 0x10, DType.BFLOAT16);
  private static final TokenChunk CHUNK = new TokenChunk(START, START + TOKENS, KEY);

  private final NumberedPayload payload = new NumberedPayload(MODEL, START + TOKENS, 1);

  private ByteBuffer filled(NumberedPayload by, int tensorParallelSize, int rank) {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(
            (int) World.of(MODEL, tensorParallelSize).geometry(rank).bytesPerToken() * TOKENS);
    by.fill(tensorParallelSize, rank, CHUNK, bytes.duplicate());
    return bytes;
  }

  private static void swap(ByteBuffer bytes, int one, int other, int length) {
    for (int i = 0; i < length; i++) {
      byte kept = bytes.get(one + i);
      bytes.put(one + i, bytes.get(other + i));
      bytes.put(other + i, kept);
    }
  }

  /** Where a vector lies in [2, layers, tokens, heads, size] of one rank that has all heads. */
  private static int at(int tensor, int layer, int token, int head) {
    return (((tensor * MODEL.layers() + layer) * TOKENS + token) * MODEL.kvHeads() + head) * HEAD;
  }

  @Test
  void everyWordIsAnother() {
    ByteBuffer bytes = filled(payload, 1, 0);
    Set<Long> words = new HashSet<>(Set.of(0L));
    for (int i = 0; i < bytes.capacity(); i += Long.BYTES) {
      assertThat(words.add(bytes.getLong(i))).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1, 2, 3,   1, 1, 2, 3,  the key of layer 1",
    "1, 0, 2, 3,   1, 2, 2, 3,  the value of layer 0",
    "1, 1, 0, 3,   1, 1, 4, 3,  token 8",
    "1, 1, 2, 1,   1, 1, 2, 2,  head 1",
  })
  void twoVectorsThatHaveChangedPlacesAreFound(
      int t, int l, int n, int h, int t2, int l2, int n2, int h2, String said) {
    ByteBuffer bytes = filled(payload, 1, 0);
    payload.check(1, 0, CHUNK, KEY, bytes.duplicate());
    swap(bytes, at(t, l, n, h), at(t2, l2, n2, h2), HEAD);
    assertThatThrownBy(() -> payload.check(1, 0, CHUNK, KEY, bytes.duplicate()))
        .isInstanceOf(MatrixException.class)
        .hasMessageContaining(KEY.toString())
        .hasMessageContaining(said);
  }

  @Test
  void dimensionsThatHaveChangedPlacesAndOneWrongBitAreFound() {
    ByteBuffer bytes = filled(payload, 1, 0);
    swap(bytes, at(1, 2, 3, 3), at(1, 2, 3, 3) + Long.BYTES, Long.BYTES);
    assertThatThrownBy(() -> payload.check(1, 0, CHUNK, KEY, bytes.duplicate()))
        .hasMessageContaining("value of layer 2, token 11, head 3, from dimension 0");
    ByteBuffer last = filled(payload, 1, 0);
    last.put(last.capacity() - 1, (byte) (last.get(last.capacity() - 1) ^ 1));
    assertThatThrownBy(() -> payload.check(1, 0, CHUNK, KEY, last.duplicate()))
        .hasMessageContaining("value of layer 2, token 12, head 3, from dimension 4");
  }

  @Test
  void whatIsOfAnotherRoundOrOfAnotherLengthIsFound() {
    ByteBuffer stale = filled(new NumberedPayload(MODEL, START + TOKENS, 2), 1, 0);
    assertThatThrownBy(() -> payload.check(1, 0, CHUNK, KEY, stale.duplicate()))
        .hasMessageContaining("the key of layer 0, token 8, head 0, from dimension 0");
    assertThatThrownBy(() -> payload.check(1, 0, CHUNK, KEY, ByteBuffer.allocateDirect(8)))
        .hasMessageContaining("8 bytes, wanted are 1920");
  }

  /** Eight ranks share four heads by twos. */
  @ParameterizedTest
  @CsvSource({"1,2", "2,1", "2,4", "4,2", "1,8", "8,1", "8,2", "2,8"})
  void whatWasReshardedIsWhatTheOtherRanksWouldHaveWritten(int from, int to) {
    Resharding plan = Resharding.between(World.of(MODEL, from), World.of(MODEL, to));
    for (int worker = 0; worker < to; worker++) {
      ByteBuffer target =
          ByteBuffer.allocateDirect((int) plan.to().geometry(worker).bytesPerToken() * TOKENS);
      for (int source : plan.sourcesOf(worker)) {
        plan.copyChunk(TOKENS, source, filled(payload, from, source), worker, target);
      }
      int rank = worker;
      assertThatCode(() -> payload.check(to, rank, CHUNK, KEY, target.duplicate()))
          .doesNotThrowAnyException();
    }
  }

  @Test
  void aHeadThatIsNoWholeNumberOfWordsIsRefused() {
    assertThatThrownBy(() -> new NumberedPayload(KvGeometry.of(1, 1, 3, DType.BFLOAT16), TOKENS, 1))
        .hasMessageContaining("6 bytes");
  }
}
