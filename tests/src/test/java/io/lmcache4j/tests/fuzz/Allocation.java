/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Objects;
import java.util.function.Supplier;

/** Holds a call to an allocation that its input can pay for. */
public final class Allocation {

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /**
   * While it fuzzes, Jazzer's instrumentation allocates on the same thread: some 2 KB for each call
   * of a regular expression, where a list of many hosts has one for each of its commas.
   */
  private static final int LENIENCE =
      Objects.requireNonNullElse(System.getenv("JAZZER_FUZZ"), "").isEmpty() ? 1 : 32;

  /** What a call may allocate whatever its input is. */
  private static final long BASE_BYTES = 64 << 10;

  /** Beyond the first call, a JVM still loads and links now and then. */
  private static final int ATTEMPTS = 5;

  private Allocation() {}

  /**
   * Makes a call and measures what it allocates on this thread's heap. One that is over its limit
   * is made again, since the first ones may have loaded and linked classes: the least counts. What
   * it throws is judged where its result is.
   *
   * @param inputLength bytes, or characters, of the input
   * @param perByte bytes that each of them may cost
   * @param call the call; may be made several times
   */
  public static void isPaidFor(int inputLength, int perByte, Supplier<?> call) {
    long limit = LENIENCE * (BASE_BYTES + (long) perByte * inputLength);
    long least = measure(call);
    for (int i = 1; least > limit && i < ATTEMPTS; i++) {
      least = Math.min(least, measure(call));
    }
    assertThat(least).as("bytes allocated for %d of input", inputLength).isLessThanOrEqualTo(limit);
  }

  private static long measure(Supplier<?> call) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    try {
      Object unused = call.get();
    } catch (RuntimeException e) {
      // Refused: that must not cost more either.
    }
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }
}
