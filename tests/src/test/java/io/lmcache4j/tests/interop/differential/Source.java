/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/** Random choices, the same ones for the same seed. Prefers what lies at an edge. */
final class Source {

  private static final long[] EDGES = {
    0,
    1,
    2,
    3,
    16,
    255,
    256,
    4095,
    65536,
    Integer.MAX_VALUE,
    Integer.MAX_VALUE + 1L,
    1L << 32,
    (1L << 61) - 2,
    (1L << 61) - 1,
    1L << 61,
    Long.MAX_VALUE,
    -1,
    -2,
    Integer.MIN_VALUE,
    Integer.MIN_VALUE - 1L,
    -(1L << 61) + 1,
    Long.MIN_VALUE
  };

  private final SplittableRandom random;

  Source(long seed) {
    random = new SplittableRandom(seed);
  }

  /** From 0 to bound - 1. */
  int below(int bound) {
    return random.nextInt(bound);
  }

  /** From {@code from} to {@code to}, both included. */
  int between(int from, int to) {
    return random.nextInt(from, to + 1);
  }

  /** True once in {@code n} times. */
  boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  /** Any long, more often than not at an edge. */
  long edge() {
    return oneIn(4) ? random.nextLong() : EDGES[below(EDGES.length)];
  }

  @SafeVarargs
  @SuppressWarnings("varargs")
  final <T> T pick(T... from) {
    return from[below(from.length)];
  }

  <T> T pick(List<T> from) {
    return from.get(below(from.size()));
  }

  <T> List<T> list(int length, Supplier<T> element) {
    List<T> list = new ArrayList<>(length);
    for (int i = 0; i < length; i++) {
      list.add(element.get());
    }
    return list;
  }

  /** A text of pieces, the given ones as often as any other character. */
  String text(int maxPieces, String... pieces) {
    StringBuilder text = new StringBuilder();
    for (int i = below(maxPieces + 1); i > 0; i--) {
      text.append(oneIn(3) ? pick(pieces) : Character.toString(between(' ', '~')));
    }
    return text.toString();
  }
}
