/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.redis.ConnectorClosedException;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KeyPage;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Closing waits for what is under way, refuses what comes, and closes what is its own. */
final class ClosingTest extends ConnectorContract {

  private static final ChunkKey KEY = Samples.key(0x31);

  private RedisConnector own;

  @BeforeEach
  void openOneToClose() {
    own = open(options -> options);
  }

  @Test
  void whatIsUnderWayIsEnded() {
    int length = 4 << 20;
    byte[] payload = Samples.pattern(length);
    List<CompletableFuture<PutOutcome>> outcomes = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      try (KvChunk chunk = chunk(Samples.key(i), Samples.opaque(length), payload)) {
        outcomes.add(own.put(chunk).toCompletableFuture());
      }
    }
    CompletableFuture<Boolean> lookup = own.exists(KEY).toCompletableFuture();
    own.close();
    assertThat(outcomes)
        .allSatisfy(
            o -> assertThat(o).isCompletedWithValueMatching(PutOutcome.Stored.class::isInstance));
    assertThat(lookup).isCompletedWithValue(false);
    assertThat(raw.keys()).hasSize(40);
    assertThat(memory.leases()).isZero();
  }

  @Test
  void closingTwiceIsClosingOnce() {
    own.close();
    own.close();
    assertThat(own.closeAsync().toCompletableFuture()).isCompleted();
  }

  @Test
  void memoryOfTheCallersStaysOpen() {
    own.close();
    ChunkBuffer lease = Objects.requireNonNull(memory.tryLease(1));
    lease.release();
  }

  @Test
  void memoryOfItsOwnIsClosedAndWhatIsHeldStaysReadable() {
    stored(KEY);
    RedisConnector withItsOwn =
        RedisConnector.open(
            RedisConnectorOptions.builder(variant.url())
                .path(variant.path())
                .memoryCapacity(1 << 20)
                .build());
    HostMemory its = withItsOwn.memory();
    GetOutcome outcome = withItsOwn.sync().get(KEY);
    withItsOwn.close();
    assertThatThrownBy(() -> its.tryLease(1)).isInstanceOf(IllegalStateException.class);
    assertThat(bytesOf(outcome)).isEqualTo(Samples.payload());
    assertThat(its.leases()).isZero();
  }

  @Test
  void getsAndPutsAfterClosingHaveAnOutcome() {
    own.close();
    assertThat(((GetOutcome.Failed) own.sync().get(KEY)).cause())
        .isInstanceOf(ConnectorClosedException.class);
    PutOutcome put = put(own, KEY, Samples.METADATA, Samples.payload());
    assertThat(((PutOutcome.Failed) put).cause())
        .isInstanceOf(ConnectorClosedException.class)
        .hasMessageContaining(KEY.toString());
  }

  @TestFactory
  Stream<DynamicTest> otherOperationsAfterClosingSayThatItIsClosed() {
    own.close();
    return Stream.of(
        refused("exists", () -> own.exists(KEY)),
        refused("batchedContains", () -> own.batchedContains(List.of(KEY))),
        refused("remove", () -> own.remove(KEY)),
        refused("inspect", () -> own.inspect(KEY)),
        refused("list", () -> own.list(KeyPage.END)),
        refused("ping", () -> own.ping()));
  }

  private static DynamicTest refused(String name, Supplier<CompletionStage<?>> operation) {
    return DynamicTest.dynamicTest(
        name,
        () ->
            assertThatThrownBy(() -> operation.get().toCompletableFuture().join())
                .cause()
                .isInstanceOf(ConnectorClosedException.class)
                .hasMessageContaining("closed"));
  }
}
