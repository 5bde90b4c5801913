/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Every way in which an operation can end. After each of them the byte budget, the memory and the
 * list of what is in flight are as they were before.
 */
class OperationTest {

  private OperationFixture f = new OperationFixture();

  @AfterEach
  void everythingHasBeenGivenBack() {
    assertThat(f.budget().inFlightBytes()).as("bytes in flight").isZero();
    assertThat(f.budget().waiting()).as("waiting operations").isZero();
    assertThat(f.core.operationsInFlight()).as("operations").isZero();
    assertThat(f.core.leastLoaded().outstandingBytes()).as("bytes on the connection").isZero();
    assertThat(f.memory.leases()).as("leases").isZero();
    assertThat(f.pendingTimeouts()).as("timers").isZero();
    f.memory.close();
  }

  // Put.

  @Test
  void aPutIsStoredWhenBothAre() {
    CompletableFuture<PutOutcome> put = f.put();
    assertThat(f.budget().inFlightBytes()).isEqualTo(OperationFixture.BYTES);

    f.answer(0, "OK");
    assertThat(put).isNotDone();
    f.answer(1, "OK");

    assertThat(put.join()).isEqualTo(new PutOutcome.Stored(OperationFixture.KEY, 64));
  }

  @Test
  void aRefusedPayloadHasItsMetadataDeleted() {
    CompletableFuture<PutOutcome> put = f.put();
    f.answerError(0, "OOM no");
    f.answer(1, "OK");

    assertThat(put).isNotDone();
    assertThat(f.send(2)).contains("DEL").contains("metadata");
    f.answerNumber(2, 1);
    assertFailed(put, "OOM no");
  }

  @Test
  void whatLooksLikeAValueIsNoStoring() {
    CompletableFuture<PutOutcome> put = f.put();
    f.answer(0, "ERR a bulk error");
    f.answer(1, "OK");

    assertThat(f.send(2)).contains("DEL");
    f.answerNumber(2, 1);
    assertFailed(put, "ERR a bulk error");
  }

  @Test
  void aRefusedHeaderFailsThePut() {
    CompletableFuture<PutOutcome> put = f.put();
    f.answer(0, "OK");
    f.answerError(1, "OOM no");

    assertFailed(put, "OOM no");
    assertThat(f.dispatched).hasSize(2);
  }

  @Test
  void bothRefusedNeedNoDeleting() {
    CompletableFuture<PutOutcome> put = f.put();
    f.answerError(0, "OOM no");
    f.answerError(1, "OOM no");

    assertFailed(put, "OOM no");
    assertThat(f.dispatched).hasSize(2);
  }

  @Test
  void aLostConnectionFailsThePut() {
    CompletableFuture<PutOutcome> put = f.put();
    f.send(0);
    f.lose(0);
    f.lose(1);

    assertFailed(put, "connection lost");
    assertThat(f.dispatched).hasSize(2);
  }

  @Test
  void aPayloadLostBeforeItsMetadataWasStoredOnTheNextConnectionHasItDeleted() {
    CompletableFuture<PutOutcome> put = f.put();
    f.lose(0);
    f.answer(1, "OK");

    assertThat(f.send(2)).contains("DEL").contains("metadata");
    f.answerNumber(2, 1);
    assertFailed(put, "connection lost");
  }

  @Test
  void aPayloadThatIsRejectedIsNotFollowedByItsMetadata() {
    f.onDispatch =
        command -> {
          if (f.dispatched.isEmpty()) {
            // The connection is back by the time of the second.
            f.onDispatch = c -> {};
            throw new IllegalStateException("not connected");
          }
        };
    CompletableFuture<PutOutcome> put = f.put();

    assertThat(f.dispatched).isEmpty();
    assertFailed(put, "not connected");
  }

  @Test
  void aDeletionThatFailsDoesNotHoldTheOutcomeBack() {
    CompletableFuture<PutOutcome> put = f.put();
    f.answerError(0, "OOM no");
    f.answer(1, "OK");
    f.lose(2);

    assertFailed(put, "OOM no");
  }

  @Test
  void aPutGivenUpBeforeAnythingLeftSendsNothing() {
    CompletableFuture<PutOutcome> put = f.put();
    put.cancel(false);

    assertThat(f.memory.leases()).isZero();
    assertThat(f.send(0)).startsWith("*1\r\n$4\r\nPING");
    assertThat(f.send(1)).startsWith("*1\r\n$4\r\nPING");
  }

  @Test
  void aPutGivenUpAfterThePayloadLeftHoldsTheLeaseUntilItIsAnswered() {
    CompletableFuture<PutOutcome> put = f.put();
    f.send(0);
    put.cancel(false);

    assertThat(f.send(1)).startsWith("*1\r\n$4\r\nPING");
    assertThat(f.memory.leases()).isOne();
    assertThat(f.budget().inFlightBytes()).isEqualTo(64);
    f.answer(0, "OK");
    assertThat(f.dispatched).hasSize(2);
  }

  @Test
  void aPutGivenUpBetweenItsCommandsSendsNeither() {
    f.onDispatch = command -> f.core.abandonAll();
    CompletableFuture<PutOutcome> put = f.put();

    assertThat(f.dispatched).hasSize(1);
    assertThat(f.send(0)).startsWith("*1\r\n$4\r\nPING");
    assertFailed(put, "closed");
  }

  @Test
  void aPutGivenUpBetweenItsCommandsWithoutItsMetadataSendsNone() {
    f.onDispatch =
        command -> {
          f.dispatched.add(command);
          f.send(0);
          f.core.abandonAll();
          f.dispatched.clear();
        };
    f.put();

    assertThat(f.dispatched).hasSize(1);
    assertThat(f.memory.leases()).isOne();
    f.answer(0, "OK");
  }

  @Test
  void aPutThatTimesOutHasItsOutcomeAtOnceAndItsEndLater() throws Exception {
    CompletableFuture<PutOutcome> put = f.put();
    f.send(0);
    f.send(1);
    f.timeOut();

    assertThat(put.join())
        .asInstanceOf(type(PutOutcome.Failed.class))
        .extracting(PutOutcome.Failed::cause)
        .isInstanceOf(RequestTimeoutException.class);
    assertThat(f.budget().inFlightBytes()).isEqualTo(64);
    f.answer(0, "OK");
    f.answer(1, "OK");
  }

  @Test
  void aPayloadRefusedAfterTheTimeoutStillHasItsMetadataDeleted() throws Exception {
    f.put();
    f.send(0);
    f.send(1);
    f.timeOut();
    f.answerError(0, "OOM no");
    f.answer(1, "OK");

    assertThat(f.send(2)).contains("DEL").contains("metadata");
    f.answerNumber(2, 1);
  }

  @Test
  void aPutThatWaitsForRoomCanBeCancelled() {
    f = new OperationFixture(OperationFixture.BYTES);
    CompletableFuture<PutOutcome> first = f.put();
    CompletableFuture<PutOutcome> second = f.put();
    CompletableFuture<PutOutcome> third = f.put();
    assertThat(f.budget().waiting()).isEqualTo(2);

    second.cancel(false);
    assertThat(f.memory.leases()).isEqualTo(2);
    f.answer(0, "OK");
    f.answer(1, "OK");
    f.answer(2, "OK");
    f.answer(3, "OK");

    assertThat(first.join()).isInstanceOf(PutOutcome.Stored.class);
    assertThat(third.join()).isInstanceOf(PutOutcome.Stored.class);
  }

  @Test
  void timeRunsWhileAPutWaitsForRoom() throws Exception {
    f = new OperationFixture(OperationFixture.BYTES);
    f.put();
    CompletableFuture<PutOutcome> second = f.put();
    f.send(0);
    f.timeOut();

    assertFailed(second, "");
    assertThat(f.budget().waiting()).isZero();
    assertThat(f.dispatched).hasSize(2);
    f.answer(0, "OK");
  }

  @Test
  void aPayloadThatSomebodyElseReleasedEndsAllTheSame() {
    ChunkBuffer payload = Objects.requireNonNull(f.memory.tryLease(OperationFixture.BYTES));
    CompletableFuture<PutOutcome> put = f.putOperation(payload).start(OperationFixture.BYTES);
    payload.release();

    f.answer(0, "PONG");
    f.answerError(1, "ERR");

    assertFailed(put, "PONG");
  }

  @Test
  void afterClosingNothingIsSent() {
    f.core.drain();

    assertFailed(f.put(), "closed");
    assertThat(f.get().join())
        .asInstanceOf(type(GetOutcome.Failed.class))
        .extracting(GetOutcome.Failed::cause)
        .isInstanceOf(ConnectorClosedException.class);
    assertThat(f.dispatched).isEmpty();
  }

  @Test
  void closingWaitsForWhatIsInFlight() {
    f.put();
    CompletableFuture<Void> drained = f.core.drain();
    f.answer(0, "OK");
    assertThat(drained).isNotDone();

    f.answer(1, "OK");

    assertThat(drained).isDone();
  }

  // Get.

  @Test
  void aGetIsAHitWhenBothAreThere() {
    CompletableFuture<GetOutcome> get = f.get();
    f.answer(0, f.header());
    f.answer(1, new byte[64]);

    GetOutcome.Hit hit = (GetOutcome.Hit) get.join();
    assertThat(hit.chunk().metadata().length()).isEqualTo(64);
    assertThat(hit.chunk().payload().length()).isEqualTo(64);
    hit.chunk().close();
  }

  @Test
  void aGetIsAMissWithoutMetadata() {
    CompletableFuture<GetOutcome> get = f.get();
    f.answerNil(0);
    f.answer(1, new byte[64]);

    assertThat(get.join()).isInstanceOf(GetOutcome.Miss.class);
  }

  @Test
  void metadataWithoutPayloadIsDeleted() {
    CompletableFuture<GetOutcome> get = f.get();
    f.answer(0, f.header());
    f.answerNil(1);

    assertThat(f.send(2)).contains("DEL").contains("metadata");
    f.answerNumber(2, 1);
    assertThat(get.join()).isInstanceOf(GetOutcome.Orphan.class);
  }

  @Test
  void aDeletionThatCannotLeaveDoesNotKeepTheRoomForEver() throws Exception {
    CompletableFuture<GetOutcome> get = f.get();
    f.answer(0, f.header());
    f.answerNil(1);
    assertThat(f.dispatched).hasSize(3);

    f.timeOut();

    assertThat(get).isCompleted();
    assertThat(f.send(2)).doesNotContain("DEL");
  }

  @Test
  void metadataIsNotDeletedWhenThePayloadWasNeverAskedFor() {
    CompletableFuture<GetOutcome> get = f.get();
    f.send(0);
    get.cancel(false);
    assertThat(f.send(1)).startsWith("*1\r\n$4\r\nPING");

    f.answer(0, f.header());

    assertThat(f.dispatched).hasSize(2);
  }

  @Test
  void metadataIsNotDeletedWhenThePayloadsAnswerIsNonsense() {
    CompletableFuture<GetOutcome> get = f.get();
    f.answer(0, f.header());
    f.answer(1, output -> {});

    assertThat(f.dispatched).hasSize(2);
    assertThat(get.join()).isInstanceOf(GetOutcome.Failed.class);
  }

  @Test
  void aPayloadInsideAnArrayIsNone() {
    CompletableFuture<GetOutcome> get = f.get();
    f.answer(0, f.header());
    f.answer(
        1,
        output -> {
          output.multi(1);
          output.set(java.nio.ByteBuffer.wrap(new byte[64]));
        });

    assertThat(get.join()).isInstanceOf(GetOutcome.Failed.class);
  }

  @Test
  void aPayloadOfAnotherLengthIsCorrupt() {
    CompletableFuture<GetOutcome> get = f.get();
    f.answer(0, f.header());
    f.answer(1, new byte[63]);

    assertThat(get.join()).isInstanceOf(GetOutcome.Corrupt.class);
  }

  @Test
  void aHeaderThatIsNoneIsCorrupt() {
    CompletableFuture<GetOutcome> get = f.get();
    f.answer(0, "no header");
    f.answer(1, new byte[64]);

    assertThat(get.join()).isInstanceOf(GetOutcome.Corrupt.class);
  }

  @Test
  void withoutRoomInMemoryThereIsNone() {
    try (DirectMemory small = DirectMemory.create(HostMemory.ALIGNMENT)) {
      ChunkBuffer taken = Objects.requireNonNull(small.tryLease(1));
      CompletableFuture<GetOutcome> get = f.get(small);
      f.answer(0, f.header());
      f.answer(1, new byte[64]);

      assertThat(get.join()).isEqualTo(new GetOutcome.NoMemory(OperationFixture.KEY, 64));
      taken.release();
    }
  }

  @Test
  void aMemoryThatIsClosedFailsTheGetAlone() {
    DirectMemory closed = DirectMemory.create(HostMemory.ALIGNMENT);
    closed.close();
    CompletableFuture<GetOutcome> get = f.get(closed);
    f.answer(0, f.header());
    f.answer(1, new byte[64]);

    assertThat(get.join()).isInstanceOf(GetOutcome.Failed.class);
  }

  @Test
  void aRefusedGetFails() {
    CompletableFuture<GetOutcome> get = f.get();
    f.answerError(0, "LOADING");
    f.answerError(1, "LOADING");

    assertThat(get.join())
        .asInstanceOf(type(GetOutcome.Failed.class))
        .extracting(o -> o.cause().getMessage())
        .asString()
        .contains("LOADING");
  }

  @Test
  void aGetIsLostWithItsConnection() {
    CompletableFuture<GetOutcome> get = f.get();
    f.answer(0, f.header());
    f.lose(1);

    assertThat(get.join()).isInstanceOf(GetOutcome.Failed.class);
  }

  @Test
  void aPayloadThatArrivesAfterTheTimeoutIsDrained() throws Exception {
    CompletableFuture<GetOutcome> get = f.get();
    f.answer(0, f.header());
    f.send(1);
    f.timeOut();
    assertThat(get.join()).isInstanceOf(GetOutcome.Failed.class);
    assertThat(f.budget().inFlightBytes()).isEqualTo(64);

    f.answer(1, new byte[64]);

    assertThat(f.core.metrics().drainedBytes()).isEqualTo(64);
  }

  @Test
  void theReservationFollowsTheHeader() {
    f = new OperationFixture(1000);
    f.core.observed(900);
    CompletableFuture<GetOutcome> get =
        f.get(); // Reserves what the fixture says, and learns from the header.
    f.answer(0, f.header());
    assertThat(f.budget().inFlightBytes()).isEqualTo(64);
    f.answerNil(1);
    f.answerNumber(2, 1);

    assertThat(get.join()).isInstanceOf(GetOutcome.Orphan.class);
  }

  @Test
  void aGetGivenUpBeforeAnythingLeftSendsNothing() {
    CompletableFuture<GetOutcome> get = f.get();
    get.cancel(false);

    assertThat(f.send(0)).startsWith("*1\r\n$4\r\nPING");
    assertThat(f.send(1)).startsWith("*1\r\n$4\r\nPING");
  }

  @Test
  void aGetGivenUpBetweenItsCommandsEndsOnce() {
    f.onDispatch = command -> f.core.abandonAll();
    CompletableFuture<GetOutcome> get = f.get();

    assertThat(get.join()).isInstanceOf(GetOutcome.Failed.class);
    assertThat(f.dispatched).hasSize(1);
  }

  @Test
  void aHitThatNobodyWaitsForIsGivenBack() {
    CompletableFuture<GetOutcome> get = f.get();
    f.answer(0, f.header());
    f.send(1);
    // Completed by somebody else, which is not a cancellation: the reply is let in.
    get.complete(new GetOutcome.Miss(OperationFixture.KEY));

    f.answer(1, new byte[64]);

    assertThat(f.memory.leases()).isZero();
  }

  private static void assertFailed(CompletableFuture<PutOutcome> put, String why) {
    assertThat(put).isDone();
    assertThat(put.join())
        .asInstanceOf(type(PutOutcome.Failed.class))
        .extracting(o -> o.cause().getMessage())
        .asString()
        .contains(why);
  }
}
