/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import java.util.BitSet;
import java.util.StringJoiner;

/** Numbers as people write them. */
final class Ranges {

  private Ranges() {}

  /** {@code 1, 3-5}. */
  static String of(BitSet numbers) {
    StringJoiner joiner = new StringJoiner(", ");
    for (int from = numbers.nextSetBit(0); from >= 0; ) {
      int to = numbers.nextClearBit(from) - 1;
      joiner.add(from == to ? Integer.toString(from) : from + "-" + to);
      from = numbers.nextSetBit(to + 1);
    }
    return joiner.toString();
  }
}
