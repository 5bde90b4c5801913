/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
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

/**
 * Finding the end of replies, in microseconds for each of: 1024 lookups, a page of 512 keys, and
 * the header and 64 KiB of payload. It lives here because the scanner is not public.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class RespScannerBenchmark {

  private static final int LOOKUPS = 1024;
  private static final int PAGE_KEYS = 512;
  private static final String KEY =
      "meta-llama/Llama-3.1-8B-Instruct@1@0@1a2b3c4d5e6f7081@bfloat16metadata";

  private final RespScanner scanner = new RespScanner();
  private final ByteBuf lookups = buffer(":1\r\n".repeat(LOOKUPS));
  private final ByteBuf page =
      buffer(
          "*2\r\n$1\r\n0\r\n*"
              + PAGE_KEYS
              + "\r\n"
              + ("$" + KEY.length() + "\r\n" + KEY + "\r\n").repeat(PAGE_KEYS));
  private final ByteBuf pair =
      buffer("$28\r\n" + "h".repeat(28) + "\r\n$65536\r\n" + "p".repeat(65536) + "\r\n");

  private static ByteBuf buffer(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return Unpooled.directBuffer(bytes.length).writeBytes(bytes);
  }

  private int scanAll(ByteBuf in) {
    int at = 0;
    while (at < in.writerIndex()) {
      scanner.reset();
      at = scanner.scan(in, at);
    }
    return at;
  }

  /** Integer replies, one frame each. */
  @Benchmark
  public int lookups() {
    return scanAll(lookups);
  }

  /** One frame of many elements. */
  @Benchmark
  public int page() {
    return scanAll(page);
  }

  /** A bulk string is skipped, not read. */
  @Benchmark
  public int pair() {
    return scanAll(pair);
  }
}
