/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** One entry never takes another with it, and never takes another's place. */
final class BatchesTest extends ConnectorContract {

  private static List<ChunkKey> keys(int count) {
    return LongStream.range(0, count).mapToObj(i -> (ChunkKey) Samples.key(i)).toList();
  }

  @Test
  void everyKeyHasItsOutcomeAtItsPlace() {
    List<ChunkKey> keys = keys(7);
    stored(keys.get(0));
    raw.set(header(keys.get(2)), Samples.header());
    raw.set(header(keys.get(3)), Samples.header());
    raw.set(payload(keys.get(3)), Samples.pattern(1000));
    raw.call("LPUSH", header(keys.get(4)), "x");
    stored(keys.get(6));
    List<GetOutcome> outcomes = connector.sync().batchedGet(keys);
    assertThat(outcomes).extracting(GetOutcome::key).containsExactlyElementsOf(keys);
    assertThat(bytesOf(outcomes.get(0))).isEqualTo(Samples.payload());
    assertThat(outcomes.get(1)).isInstanceOf(GetOutcome.Miss.class);
    assertThat(outcomes.get(2)).isInstanceOf(GetOutcome.Orphan.class);
    assertThat(outcomes.get(3)).isInstanceOf(GetOutcome.Corrupt.class);
    assertThat(failureOf(outcomes.get(4))).contains("WRONGTYPE");
    assertThat(outcomes.get(5)).isInstanceOf(GetOutcome.Miss.class);
    assertThat(bytesOf(outcomes.get(6))).isEqualTo(Samples.payload());
  }

  @Test
  void eachHitHasItsOwnBytes() {
    List<ChunkKey> keys = keys(100);
    for (int i = 0; i < keys.size(); i++) {
      int length = 1 + i * 997;
      raw.set(header(keys.get(i)), Samples.ints(length, 5, 0, length, 0, 0, 0));
      raw.set(payload(keys.get(i)), Samples.pattern(length));
    }
    List<GetOutcome> outcomes = connector.sync().batchedGet(keys);
    for (int i = 0; i < keys.size(); i++) {
      assertThat(bytesOf(outcomes.get(i))).isEqualTo(Samples.pattern(1 + i * 997));
    }
  }

  @Test
  void whatIsRefusedIsNotStoredAndTheOthersAre() {
    List<ChunkKey> keys = keys(4);
    RemoteMetadata wrong =
        new RemoteMetadata(
            1024,
            Samples.METADATA.format(),
            Samples.METADATA.shapes(),
            List.of(DType.BFLOAT16, DType.BFLOAT16));
    List<KvChunk> chunks = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      chunks.add(chunk(keys.get(i), i % 2 == 0 ? Samples.METADATA : wrong, Samples.payload()));
    }
    List<PutOutcome> outcomes = connector.sync().batchedPut(chunks);
    chunks.forEach(KvChunk::close);
    assertThat(outcomes).extracting(PutOutcome::key).containsExactlyElementsOf(keys);
    assertThat(outcomes.get(0)).isInstanceOf(PutOutcome.Stored.class);
    assertThat(failureOf(outcomes.get(1))).contains(keys.get(1).toString());
    assertThat(outcomes.get(2)).isInstanceOf(PutOutcome.Stored.class);
    assertThat(failureOf(outcomes.get(3))).contains(keys.get(3).toString());
    assertThat(raw.keys())
        .containsExactly(
            payload(keys.get(0)), header(keys.get(0)), payload(keys.get(2)), header(keys.get(2)));
  }

  @Test
  void emptyBatchesAreDoneAtOnce() {
    assertThat(connector.sync().batchedPut(List.of())).isEmpty();
    assertThat(connector.sync().batchedGet(List.of())).isEmpty();
    assertThat(connector.sync().batchedContains(List.of())).isZero();
  }

  @Test
  void aNullAmongTheKeysIsRefusedBeforeAnythingIsRead() {
    ChunkKey key = Samples.key(1);
    stored(key);
    assertThatThrownBy(() -> connector.batchedGet(Arrays.asList(key, null)))
        .isInstanceOf(NullPointerException.class);
    assertThat(connector.inFlightBytes()).isZero();
  }

  @Test
  void aBatchThatIsGivenUpWhenPartOfItIsThereReturnsThatPart() {
    List<ChunkKey> keys = keys(64);
    keys.forEach(this::stored);
    for (int i = 0; i < 20; i++) {
      int enough = i % 4;
      CompletableFuture<List<GetOutcome>> batch = connector.batchedGet(keys).toCompletableFuture();
      // Long enough for some of the outcomes, in most rounds.
      await().pollInterval(1, TimeUnit.MILLISECONDS).until(() -> memory.leases() > enough);
      if (!batch.cancel(false)) {
        batch.join().forEach(Contract::bytesOf);
      }
    }
    // A payload that was never asked for is not one that is gone: no metadata may be deleted.
    assertThat(connector.sync().batchedContains(keys)).isEqualTo(keys.size());
  }

  @Test
  void aBatchThatEndsOtherwiseReturnsWhatArrives() {
    List<ChunkKey> keys = keys(8);
    keys.forEach(this::stored);
    CompletableFuture<List<GetOutcome>> batch = connector.batchedGet(keys).toCompletableFuture();
    if (!batch.completeExceptionally(new IllegalStateException("the caller's own timeout"))) {
      batch.join().forEach(Contract::bytesOf);
    }
  }

  @Test
  void aPrefixIsAsLongAsItIsWithoutHoles() {
    List<ChunkKey> keys = keys(2100);
    for (ChunkKey key : keys) {
      raw.send("SET", header(key), "x");
    }
    keys.forEach(key -> raw.reply());
    assertThat(connector.sync().batchedContains(keys)).isEqualTo(2100);
    for (int hole : new int[] {2099, 1500, 1024, 1023, 1, 0}) {
      raw.call("DEL", header(keys.get(hole)));
      assertThat(connector.sync().batchedContains(keys)).isEqualTo(hole);
    }
  }
}
