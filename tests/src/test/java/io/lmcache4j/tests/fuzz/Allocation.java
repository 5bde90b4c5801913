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

  /** While it fuzzes, Jazzer's instrumentation allocates on the same thread. */
  private static final int LENIENCE =
      Objects.requireNonNullElse(System.getenv("JAZZER_FUZZ"), "").isEmpty() ? 1 : 8;

  /** What a call may allocate whatever its input is. */
  private static final long BASE_BYTES = 64 << 10;

  private Allocation() {}

  /**
   * Makes a call and measures what it allocates on this thread's heap. One that is over its limit
   * is made again, since the first one may have loaded classes. What it throws is judged where its
   * result is.
   *
   * @param inputLength bytes, or characters, of the input
   * @param perByte bytes that each of them may cost
   * @param call the call; may be made twice
   */
  public static void isPaidFor(int inputLength, int perByte, Supplier<?> call) {
    long limit = LENIENCE * (BASE_BYTES + (long) perByte * inputLength);
    if (measure(call) > limit) {
      assertThat(measure(call))
          .as("bytes allocated for %d of input", inputLength)
          .isLessThanOrEqualTo(limit);
    }
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
