/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ByteBudgetTest {

  private final ByteBudget budget = new ByteBudget(100);
  private final List<String> granted = new ArrayList<>();

  @Test
  void whatFitsIsGrantedAtOnce() {
    ask("a", 60);
    ask("b", 40);

    assertThat(granted).containsExactly("a", "b");
    assertThat(budget.inFlightBytes()).isEqualTo(100);
    assertThat(budget.waiting()).isZero();
  }

  @Test
  void whatDoesNotFitWaitsInOrder() {
    ask("a", 60);
    ask("b", 41);
    ask("c", 1);

    // c would fit, but b came first.
    assertThat(granted).containsExactly("a");
    assertThat(budget.waiting()).isEqualTo(2);

    budget.release(60);
    assertThat(granted).containsExactly("a", "b", "c");
    assertThat(budget.inFlightBytes()).isEqualTo(42);
  }

  @Test
  void whatIsLargerThanTheLimitGoesAlone() {
    ask("a", 1);
    ask("big", 1000);
    ask("b", 1);
    assertThat(granted).containsExactly("a");

    budget.release(1);
    assertThat(granted).containsExactly("a", "big");

    budget.release(1000);
    assertThat(granted).containsExactly("a", "big", "b");
  }

  @Test
  void aWithdrawnRequestMakesWayForTheOneBehind() {
    ask("a", 60);
    ByteBudget.Request b = ask("b", 50);
    ask("c", 40);

    assertThat(budget.withdraw(b)).isTrue();
    assertThat(budget.withdraw(b)).isFalse();

    assertThat(granted).containsExactly("a", "c");
    assertThat(budget.inFlightBytes()).isEqualTo(100);
  }

  @Test
  void aGrantedRequestCannotBeWithdrawn() {
    assertThat(budget.withdraw(ask("a", 60))).isFalse();
    assertThat(budget.inFlightBytes()).isEqualTo(60);
  }

  @Test
  void aGrantThatTurnsOutSmallerMakesRoom() {
    ask("a", 90);
    ask("b", 50);

    budget.adjust(-40);

    assertThat(granted).containsExactly("a", "b");
    assertThat(budget.inFlightBytes()).isEqualTo(100);
  }

  @Test
  void aGrantThatTurnsOutLargerIsNotRefused() {
    ask("a", 90);

    budget.adjust(500);
    ask("b", 1);

    assertThat(budget.inFlightBytes()).isEqualTo(590);
    assertThat(granted).containsExactly("a");
    budget.release(590);
    assertThat(granted).containsExactly("a", "b");
  }

  @Test
  void nothingIsAlwaysGranted() {
    ask("a", 100);
    ask("nothing", 0);

    assertThat(granted).containsExactly("a", "nothing");
  }

  @Test
  void aHundredThousandWaitersThatFailAtOnceDoNotNest() {
    int waiters = 100_000;
    ask("first", 100);
    AtomicInteger depth = new AtomicInteger();
    AtomicInteger deepest = new AtomicInteger();
    AtomicInteger ran = new AtomicInteger();
    for (int i = 0; i < waiters; i++) {
      budget.acquire(
          100,
          () -> {
            deepest.accumulateAndGet(depth.incrementAndGet(), Math::max);
            ran.incrementAndGet();
            // Fails at once: its room is given back from inside the grant.
            budget.release(100);
            depth.decrementAndGet();
          });
    }
    assertThat(ran).hasValue(0);

    budget.release(100);

    assertThat(ran).hasValue(waiters);
    assertThat(deepest).hasValue(1);
    assertThat(budget.inFlightBytes()).isZero();
    assertThat(budget.waiting()).isZero();
  }

  @Test
  void aGrantThatThrowsDoesNotStopThoseBehindIt() {
    ask("a", 100);
    budget.acquire(
        10,
        () -> {
          throw new IllegalStateException("thrown by a grant");
        });
    ask("b", 10);

    budget.release(100);

    assertThat(granted).containsExactly("a", "b");
    ask("c", 10);
    assertThat(granted).containsExactly("a", "b", "c");
  }

  @Test
  void theLimitHoldsAndNobodyIsForgottenWhateverTheThreads() throws Exception {
    int threads = 4;
    int each = 5_000;
    AtomicLong inFlight = new AtomicLong();
    AtomicLong most = new AtomicLong();
    CountDownLatch ended = new CountDownLatch(threads * each);
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      List<Future<?>> runs = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        Random random = new Random(t);
        runs.add(
            executor.submit(
                () -> {
                  for (int i = 0; i < each; i++) {
                    long bytes = random.nextInt(60);
                    boolean withdraws = random.nextInt(4) == 0;
                    ByteBudget.Request request =
                        budget.acquire(
                            bytes,
                            () -> {
                              most.accumulateAndGet(inFlight.addAndGet(bytes), Math::max);
                              executor.execute(
                                  () -> {
                                    inFlight.addAndGet(-bytes);
                                    budget.release(bytes);
                                    ended.countDown();
                                  });
                            });
                    if (withdraws && budget.withdraw(request)) {
                      ended.countDown();
                    }
                  }
                }));
      }
      for (Future<?> run : runs) {
        run.get();
      }
      assertThat(ended.await(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      executor.shutdown();
    }
    assertThat(most.get()).isLessThanOrEqualTo(100);
    assertThat(budget.inFlightBytes()).isZero();
    assertThat(budget.waiting()).isZero();
  }

  private ByteBudget.Request ask(String name, long bytes) {
    return budget.acquire(bytes, () -> granted.add(name));
  }
}
