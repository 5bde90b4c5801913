/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import java.util.ArrayList;
import java.util.List;

/** How many there are of something, and a few of them. */
final class Tally {

  private final int mostExamples;
  private final List<Example> examples = new ArrayList<>();
  private long count;
  private long bytes;

  Tally(int mostExamples) {
    this.mostExamples = mostExamples;
  }

  void add(long moreBytes, String key, String detail) {
    count++;
    bytes += moreBytes;
    if (examples.size() < mostExamples) {
      examples.add(new Example(key, detail));
    }
  }

  void addAll(Tally other) {
    count += other.count;
    bytes += other.bytes;
    for (Example example : other.examples) {
      if (examples.size() < mostExamples) {
        examples.add(example);
      }
    }
  }

  long count() {
    return count;
  }

  long bytes() {
    return bytes;
  }

  List<Example> examples() {
    return List.copyOf(examples);
  }
}
