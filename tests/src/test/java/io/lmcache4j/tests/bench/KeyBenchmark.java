/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.bench;

import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.KeyFormat;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Keys between their text and their parts, in the grammar of the current LMCache. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class KeyBenchmark {

  private static final String KEY =
      "meta-llama/Llama-3.1-8B-Instruct@1@0@1a2b3c4d5e6f7081@bfloat16";

  private final KeyFormat format = KeyFormat.of(LmcacheVersion.CURRENT);
  private final ChunkKey key = format.parse(KEY);

  /** Parts to text. */
  @Benchmark
  public String format() {
    return format.format(key);
  }

  /** Text to parts. */
  @Benchmark
  public ChunkKey parse() {
    return format.parse(KEY);
  }
}
