/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class BatchTest {

  private final CompletableFuture<String> a = new CompletableFuture<>();
  private final CompletableFuture<String> b = new CompletableFuture<>();
  private final CompletableFuture<String> c = new CompletableFuture<>();
  private final List<String> disposed = new ArrayList<>();
  private final CompletableFuture<List<String>> all = Batch.of(List.of(a, b, c), disposed::add);

  @Test
  void resultsStandInTheOrderOfTheParts() {
    c.complete("c");
    a.complete("a");
    b.complete("b");

    assertThat(all.join()).containsExactly("a", "b", "c");
    assertThat(disposed).isEmpty();
  }

  @Test
  void cancellingCancelsThePartsAndDisposesOfWhatWasThereAlready() {
    b.complete("b");

    all.cancel(false);

    assertThat(a).isCancelled();
    assertThat(c).isCancelled();
    assertThat(disposed).containsExactly("b");
  }

  @Test
  void aFailureFailsTheWholeAndDisposesOfTheRest() {
    a.complete("a");
    b.completeExceptionally(new IllegalStateException("b"));
    assertThat(all).isNotDone();
    c.complete("c");

    assertThat(all).isCompletedExceptionally();
    assertThat(disposed).containsExactly("a", "c");
  }

  @Test
  void whatCannotBeCancelledAnyMoreIsDisposedOf() {
    CompletableFuture<String> stubborn =
        new CompletableFuture<>() {
          @Override
          public boolean cancel(boolean mayInterruptIfRunning) {
            return false;
          }
        };
    CompletableFuture<List<String>> one = Batch.of(List.of(stubborn), disposed::add);
    one.cancel(false);

    stubborn.complete("late");

    assertThat(disposed).containsExactly("late");
  }

  @Test
  void nothingIsDoneAtOnce() {
    assertThat(Batch.of(List.<CompletableFuture<String>>of(), disposed::add).join()).isEmpty();
  }
}
