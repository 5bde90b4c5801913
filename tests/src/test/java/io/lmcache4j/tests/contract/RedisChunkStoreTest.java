/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.LengthMismatchException;
import io.lmcache4j.core.store.ChunkStore;
import io.lmcache4j.core.store.ChunkStore.Fetched;
import io.lmcache4j.redis.ConnectorClosedException;
import io.lmcache4j.redis.RedisChunkStore;
import io.lmcache4j.redis.RedisConnector;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The connector as others see it who know no Redis. */
final class RedisChunkStoreTest extends ConnectorContract {

  private static final ChunkKey KEY = Samples.key(0xabc);

  private ChunkStore store() {
    return new RedisChunkStore(connector);
  }

  private ChunkBuffer lease(byte[] content) {
    ChunkBuffer lease = Objects.requireNonNull(memory.tryLease(content.length));
    lease.nio().put(content);
    return lease;
  }

  private static CompletableFuture<Void> put(ChunkStore store, ChunkKey key, ChunkBuffer payload) {
    return store.put(key, Samples.METADATA, payload).toCompletableFuture();
  }

  private Fetched fetch(HostMemory into) {
    return store().get(KEY, into).toCompletableFuture().join();
  }

  @Test
  void aChunkIsStoredAndFoundAgainInTheMemoryThatWasGiven() {
    ChunkBuffer payload = lease(Samples.payload());
    CompletableFuture<Void> stored = put(store(), KEY, payload);
    payload.release();
    stored.join();
    assertThat(raw.get(payload(KEY))).isEqualTo(Samples.payload());
    try (DirectMemory own = DirectMemory.create(HostMemory.ALIGNMENT)) {
      Fetched.Hit hit = (Fetched.Hit) fetch(own);
      assertThat(own.leases()).isEqualTo(1);
      assertThat(hit.metadata()).isEqualTo(Samples.METADATA);
      byte[] bytes = new byte[hit.payload().length()];
      hit.payload().nio().get(bytes);
      assertThat(bytes).isEqualTo(Samples.payload());
      assertThat(hit.payload().release()).isTrue();
    }
  }

  @Test
  void whatIsNotThereInFullIsAMiss() {
    assertThat(fetch(memory)).isEqualTo(new Fetched.Miss());
    raw.set(header(KEY), Samples.header());
    assertThat(fetch(memory)).isEqualTo(new Fetched.Miss());
  }

  @Test
  void whatContradictsItselfIsToldWithTheConnectorsReason() {
    raw.set(header(KEY), Samples.header());
    raw.set(payload(KEY), Samples.pattern(1023));
    assertThat(fetch(memory)).isEqualTo(new Fetched.Corrupt(reasonOf(get(KEY))));
  }

  @Test
  void aMemoryWithoutRoomIsAnAnswer() {
    stored(KEY);
    try (DirectMemory full = DirectMemory.create(HostMemory.ALIGNMENT);
        ChunkBuffer all = Objects.requireNonNull(full.tryLease(1))) {
      assertThat(all.length()).isEqualTo(1);
      assertThat(fetch(full)).isEqualTo(new Fetched.NoMemory(Samples.BYTES));
    }
  }

  @Test
  void aRefusedChunkAndAClosedConnectorAreExceptions() {
    try (ChunkBuffer tooShort = lease(new byte[Samples.BYTES - 1])) {
      assertThatThrownBy(put(store(), KEY, tooShort)::join)
          .hasCauseInstanceOf(LengthMismatchException.class);
    }
    assertThat(raw.keys()).isEmpty();
    RedisConnector closed = open(options -> options);
    closed.close();
    ChunkStore gone = new RedisChunkStore(closed);
    try (ChunkBuffer payload = lease(Samples.payload())) {
      assertThatThrownBy(put(gone, KEY, payload)::join)
          .hasCauseInstanceOf(ConnectorClosedException.class);
    }
    assertThatThrownBy(gone.get(KEY, memory).toCompletableFuture()::join)
        .hasCauseInstanceOf(ConnectorClosedException.class);
  }

  /** Whether each arrives before or after it is given up is left to chance; no lease is lost. */
  @Test
  void whatIsGivenUpIsReleasedWheneverItArrives() {
    stored(KEY);
    for (int round = 0; round < 50; round++) {
      List<CompletableFuture<Fetched>> gets = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        gets.add(store().get(KEY, memory).toCompletableFuture());
      }
      for (CompletableFuture<Fetched> get : gets) {
        if (!get.cancel(false)) {
          ((Fetched.Hit) get.join()).payload().release();
        }
      }
    }
    assertThat(bytesOf(get(KEY))).isEqualTo(Samples.payload());
  }

  @Test
  void givingUpGoesThroughToTheConnector() {
    // One chunk fills the budget of its server, so the second put is not begun before the first is
    // over.
    RedisConnector narrow = open(options -> options.inFlightBytes(Samples.BYTES));
    ChunkStore store = new RedisChunkStore(narrow);
    CompletableFuture<Void> first;
    raw.callEach("CLIENT", "PAUSE", "60000", "WRITE");
    try (ChunkBuffer payload = lease(Samples.payload());
        ChunkBuffer other = lease(new byte[Samples.BYTES])) {
      first = put(store, KEY, payload);
      CompletableFuture<Void> waiting = put(store, KEY, other);
      assertThat(narrow.waitingOperations()).isEqualTo(1);
      assertThat(waiting.cancel(false)).isTrue();
      assertThat(narrow.waitingOperations()).isZero();
    } finally {
      raw.callEach("CLIENT", "UNPAUSE");
    }
    first.join();
    assertThat(bytesOf(get(KEY))).isEqualTo(Samples.payload());
  }
}
