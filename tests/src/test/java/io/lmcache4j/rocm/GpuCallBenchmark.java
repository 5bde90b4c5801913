/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a call of the GPU runtime costs from Java, in nanoseconds. The goal is less than 1 µs for
 * {@link #memcpyAsync}, which a copy of 2 MiB takes many times of. With the fake runtime of {@code
 * tests/native} its own few instructions are counted in, so the binding costs less than what is
 * shown; a copy of no bytes is used, which asks no device to do anything. Calls are sampled: in
 * percentiles a machine that has other things to do shows at the end only, and not in every number.
 *
 * <pre>
 * tests/native/build.sh tests/target/native build
 * ./mvnw -q verify -Pjmh -DskipTests -pl tests -am \
 *     -Djmh.args="GpuCallBenchmark -jvmArgsAppend -Dlmcache4j.rocm.library=$PWD/tests/target/native/libamdhip64.so.6"
 * </pre>
 *
 * <p>In this package because what is measured is no public API.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(3)
public class GpuCallBenchmark {

  private static final int BYTES = 4096;

  private final long[] out = new long[1];
  private HipApi api = HipRuntime.find().orElseThrow().devices().get(0).api();
  private long host;
  private long device;
  private long stream;
  private long event;

  /** Makes what the calls are about, all on the benchmark's own thread. */
  @Setup
  public void open() {
    api.check(api.hostMalloc(out, BYTES, HipConstants.HOST_MALLOC_DEFAULT), "hostMalloc");
    host = out[0];
    api.check(api.malloc(out, BYTES), "malloc");
    device = out[0];
    api.check(api.streamCreate(out, HipConstants.STREAM_NON_BLOCKING), "streamCreate");
    stream = out[0];
    api.check(api.eventCreate(out, HipConstants.EVENT_DISABLE_TIMING), "eventCreate");
    event = out[0];
  }

  /** Gives it back. */
  @TearDown
  public void close() {
    api.check(api.eventDestroy(event), "eventDestroy");
    api.check(api.streamDestroy(stream), "streamDestroy");
    api.check(api.free(device), "free");
    api.check(api.hostFree(host), "hostFree");
  }

  /** The hot call with its five arguments. */
  @Benchmark
  public int memcpyAsync() {
    return api.memcpyAsync(host, device, 0, HipConstants.MEMCPY_DEVICE_TO_HOST, stream);
  }

  /** The shortest call: one argument, and nothing to do. */
  @Benchmark
  public int setDevice() {
    return api.setDevice(0);
  }

  /** A call with an event that was never recorded, which is over at once. */
  @Benchmark
  public int eventSynchronize() {
    return api.eventSynchronize(event);
  }
}
