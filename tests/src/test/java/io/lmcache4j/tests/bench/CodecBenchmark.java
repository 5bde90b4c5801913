/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.bench;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.lmcache4j.core.metadata.Shape;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
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
 * The metadata header of a Llama 3 8B chunk, 28 bytes.
 *
 * <p>Goal, with {@code -prof gc}: {@link #encode} allocates nothing.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class CodecBenchmark {

  private static final String KEY =
      "meta-llama/Llama-3.1-8B-Instruct@1@0@1a2b3c4d5e6f7081@bfloat16";

  private final RemoteMetadataCodec codec = RemoteMetadataCodec.current();
  private final RemoteMetadata metadata =
      new RemoteMetadata(
          32 << 20,
          MemoryFormat.KV_2LTD,
          List.of(Shape.of(2, 32, 256, 1024)),
          List.of(DType.BFLOAT16));
  private final ByteBuf out = Unpooled.directBuffer(RemoteMetadataCodec.MIN_LENGTH);
  private final ByteBuf in = Unpooled.directBuffer(RemoteMetadataCodec.MIN_LENGTH);

  /** Makes the header that is decoded. */
  public CodecBenchmark() {
    codec.encode(KEY, metadata, in);
  }

  /** Writes a header. */
  @Benchmark
  public ByteBuf encode() {
    codec.encode(KEY, metadata, out.clear());
    return out;
  }

  /** Reads a header. */
  @Benchmark
  public RemoteMetadata decode() {
    return codec.decode(KEY, in.readerIndex(0));
  }
}
