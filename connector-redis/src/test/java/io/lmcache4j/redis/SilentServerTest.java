/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.memory.ChunkBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a server that does not answer means for operations. */
final class SilentServerTest {

  private static final long SECOND = 1_000_000_000;

  private final OperationFixture f = new OperationFixture(OperationFixture.BYTES);

  private void fallSilent() {
    f.node().heartbeat().tick(0);
    f.node().heartbeat().tick(3 * SECOND);
    assertThat(f.node().isDown()).isTrue();
  }

  private static void isUnavailable(CompletableFuture<PutOutcome> put) {
    assertThat(put).isCompleted();
    assertThat(((PutOutcome.Failed) put.join()).cause())
        .isInstanceOf(ServerUnavailableException.class)
        .hasMessageContaining(OperationFixture.KEY.toString())
        .hasMessageContaining("server has not answered for");
  }

  @AfterEach
  void close() {
    f.memory.close();
  }

  @Test
  void whatWasSentKeepsItsDeadlineWhatWaitsFailsAtOnce() {
    CompletableFuture<PutOutcome> sent = f.put();
    CompletableFuture<PutOutcome> waiting = f.put();
    fallSilent();
    assertThat(sent).isNotDone();
    isUnavailable(waiting);
    assertThat(f.memory.leases()).isEqualTo(1);
    f.answer(0, "OK");
    f.answer(1, "OK");
    assertThat(sent).isCompletedWithValueMatching(PutOutcome.Stored.class::isInstance);
    assertThat(f.events.texts)
        .containsExactly("server unavailable", "PUT UNAVAILABLE 0", "PUT OK 64");
  }

  @Test
  void whatComesIsNotSentUntilItAnswers() {
    // An idle server is not asked; this one is, because of a put that is under way.
    CompletableFuture<PutOutcome> sent = f.put();
    fallSilent();
    f.answer(0, "OK");
    f.answer(1, "OK");
    assertThat(sent).isCompleted();
    isUnavailable(f.put());
    assertThat(((GetOutcome.Failed) f.get().join()).cause())
        .isInstanceOf(ServerUnavailableException.class);
    assertThat(f.dispatched).hasSize(2);
    assertThat(f.memory.leases()).isZero();
    f.pings.get(0).complete("PONG");
    CompletableFuture<PutOutcome> after = f.put();
    f.answer(2, "OK");
    f.answer(3, "OK");
    assertThat(after).isCompletedWithValueMatching(PutOutcome.Stored.class::isInstance);
    assertThat(f.events.texts)
        .containsExactly(
            "server unavailable",
            "PUT OK 64",
            "PUT UNAVAILABLE 0",
            "GET UNAVAILABLE 0",
            "server available",
            "PUT OK 64");
  }

  @Test
  void connectionsAreCutWhenEveryDeadlineHasPassed() {
    CompletableFuture<PutOutcome> sent = f.put();
    fallSilent();
    Duration timeout = f.core.options().timeout();
    f.node().heartbeat().tick(timeout.toNanos() - 1);
    assertThat(f.cuts).isZero();
    f.node().heartbeat().tick(timeout.toNanos());
    assertThat(f.cuts).isEqualTo(1);
    f.lose(0);
    f.lose(1);
    assertThat(sent).isCompletedWithValueMatching(PutOutcome.Failed.class::isInstance);
    assertThat(f.memory.leases()).isZero();
  }

  @Test
  void whoMovesUpInTheQueueMeanwhileIsNotSentEither() {
    OperationFixture roomy = new OperationFixture(100);
    CompletableFuture<PutOutcome> sent = roomy.put();
    CompletableFuture<PutOutcome> large = roomy.put();
    ChunkBuffer payload = Objects.requireNonNull(roomy.memory.tryLease(OperationFixture.BYTES));
    CompletableFuture<PutOutcome> small = roomy.putOperation(payload).start(30);
    roomy.node().heartbeat().tick(0);
    roomy.node().heartbeat().tick(3 * SECOND);
    isUnavailable(large);
    isUnavailable(small);
    assertThat(roomy.dispatched).hasSize(2);
    assertThat(sent).isNotDone();
    assertThat(roomy.budget().inFlightBytes()).isEqualTo(OperationFixture.BYTES);
    assertThat(roomy.memory.leases()).isEqualTo(1);
    roomy.answer(0, "OK");
    roomy.answer(1, "OK");
    roomy.memory.close();
  }

  @Test
  void cancellingIsToldOfAsSuch() {
    f.put().cancel(false);
    assertThat(f.events.texts).containsExactly("PUT CANCELLED 0");
  }
}
