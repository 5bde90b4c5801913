/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.bench;

import io.lmcache4j.cli.bench.BenchResult.Latency;
import io.lmcache4j.cli.bench.BenchResult.Rate;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.redis.ConnectorInfo;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.redis.wire.WireMetrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Measures one configuration.
 *
 * <h2>A round</h2>
 *
 * <p>All chunks of the batch are put at once and the last outcome is waited for; then all are got
 * at once, likewise. Both are timed from the first call to the last outcome. What is not timed:
 * marking the payloads before a round, so that no round can be mistaken for another, and comparing
 * every byte that came back after it. Chunk memory is taken and touched before.
 *
 * <h2>Figures</h2>
 *
 * <ul>
 *   <li>Throughput is the median of the rounds, with the slowest and the fastest beside it.
 *   <li>CPU is this process's own, all threads, user and system, over the timed parts. It is the
 *       total of the rounds and no median, because the JVM reads it in steps of 10 ms.
 *   <li>Heap is what all threads together allocated in the timed parts.
 *   <li>Direct memory is looked at as each chunk ends, when its buffers are still there.
 *   <li>Copies are counted by the connector as it makes them. On the copying path Lettuce makes
 *       another of each byte that is read, which nobody counts.
 *   <li>Lookups go one after the other, a millisecond between them, first with nothing else under
 *       way, then while a thread gets the batch over and over. Without the pause the few moments in
 *       which the load takes breath would answer most of them.
 * </ul>
 */
public final class Bench {

  private static final int WARM_UP_ROUNDS = 3;

  /** Time for the JIT compiler to be done with the event loop. */
  private static final long WARM_UP_NANOS = TimeUnit.SECONDS.toNanos(2);

  private static final int LOOKUPS = 1_000;
  private static final long LOOKUP_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final long LOOKUP_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final double GIB = 1 << 30;
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double NANOS_PER_MICRO = 1e3;

  private final BenchSettings settings;
  private final RedisConnector connector;
  private final BenchPayloads payloads;
  private final List<ChunkKey> keys;
  private final HostMemory targets;
  private final AtomicLong directPeak = new AtomicLong();
  private final AtomicLong connectionPeak = new AtomicLong();

  private Bench(
      BenchSettings settings,
      RedisConnector connector,
      BenchPayloads payloads,
      HostMemory targets) {
    this.settings = settings;
    this.connector = connector;
    this.payloads = payloads;
    this.keys = payloads.keys();
    this.targets = targets;
  }

  /**
   * Measures. What was written is removed afterwards.
   *
   * @param settings what
   * @param progress told of each round's bytes as they have crossed; {@link #bytes} in all, or more
   *     when the warm-up is extended
   * @return the figures
   * @throws BenchException if a chunk was lost or came back different, or memory is short
   * @throws io.lmcache4j.core.LmcacheException if the server fails
   */
  public static BenchResult run(BenchSettings settings, LongConsumer progress) {
    // Twice what is leased: a slab may end in a piece that is too small for a chunk.
    long capacity = 2 * Math.max(settings.roundBytes(), HostMemory.ALIGNMENT);
    RedisConnectorOptions.Builder options =
        RedisConnectorOptions.builder(settings.url())
            .path(settings.path())
            .dataConnections(settings.connections())
            .timeout(TIMEOUT);
    Long inFlightBytes = settings.inFlightBytes();
    if (inFlightBytes != null) {
      options.inFlightBytes(inFlightBytes);
    }
    Duration ttl = settings.ttl();
    if (ttl != null) {
      options.ttl(ttl);
    }
    try (HostMemory sources = DirectMemory.create(capacity);
        HostMemory targets = DirectMemory.create(capacity);
        BenchPayloads payloads = new BenchPayloads(settings, sources);
        RedisConnector connector = RedisConnector.open(options.build())) {
      Bench bench = new Bench(settings, connector, payloads, targets);
      try {
        return bench.measure(progress);
      } finally {
        bench.keys.forEach(connector.sync()::remove);
      }
    }
  }

  /**
   * What {@link #run} moves, both ways together.
   *
   * @param settings what is measured
   * @return bytes, without an extension of the warm-up
   */
  public static long bytes(BenchSettings settings) {
    return 2 * settings.roundBytes() * (WARM_UP_ROUNDS + settings.rounds());
  }

  private BenchResult measure(LongConsumer progress) {
    int round = 0;
    long start = System.nanoTime();
    while (round < WARM_UP_ROUNDS || System.nanoTime() - start < WARM_UP_NANOS) {
      round(round);
      if (round < WARM_UP_ROUNDS) {
        progress.accept(2 * settings.roundBytes());
      }
      round++;
    }
    List<Sample> puts = new ArrayList<>();
    List<Sample> gets = new ArrayList<>();
    for (int i = 0; i < settings.rounds(); i++) {
      Round measured = round(round++);
      puts.add(measured.put);
      gets.add(measured.get);
      progress.accept(2 * settings.roundBytes());
    }
    ConnectorInfo info = connector.info();
    return new BenchResult(
        settings,
        info.server(),
        info.transport(),
        info.path(),
        rate(puts),
        rate(gets),
        lookups(),
        lookupsUnderLoad(),
        directPeak.get(),
        connectionPeak.get());
  }

  private Round round(int number) {
    payloads.stamp(number);
    List<PutOutcome> stored = new ArrayList<>();
    WireMetrics metrics = connector.metrics();
    Sample put = timed(() -> putAll(stored), metrics::copiedOutBytes);
    stored.forEach(Bench::checkStored);
    List<GetOutcome> found = new ArrayList<>();
    Sample get = timed(() -> getAll(found), metrics::copiedInBytes);
    for (int i = 0; i < found.size(); i++) {
      try (KvChunk chunk = hit(found.get(i))) {
        payloads.verify(i, chunk.payload());
      }
    }
    return new Round(put, get);
  }

  private void putAll(List<PutOutcome> outcomes) {
    List<CompletableFuture<PutOutcome>> puts = new ArrayList<>();
    for (KvChunk chunk : payloads.chunks()) {
      puts.add(watched(connector.put(chunk)));
    }
    puts.forEach(put -> outcomes.add(put.join()));
  }

  private void getAll(List<GetOutcome> outcomes) {
    List<CompletableFuture<GetOutcome>> gets = new ArrayList<>();
    for (ChunkKey key : keys) {
      gets.add(watched(connector.get(key, targets)));
    }
    gets.forEach(get -> outcomes.add(get.join()));
  }

  private <T> CompletableFuture<T> watched(CompletionStage<T> outcome) {
    return outcome
        .thenApply(
            ended -> {
              directPeak.accumulateAndGet(ProcessMeter.directBytes(), Math::max);
              connectionPeak.accumulateAndGet(ProcessMeter.connectionBytes(), Math::max);
              return ended;
            })
        .toCompletableFuture();
  }

  private static void checkStored(PutOutcome outcome) {
    if (outcome instanceof PutOutcome.Failed failed) {
      throw failed.cause();
    }
  }

  private static KvChunk hit(GetOutcome outcome) {
    if (outcome instanceof GetOutcome.Hit hit) {
      return hit.chunk();
    }
    if (outcome instanceof GetOutcome.Failed failed) {
      throw failed.cause();
    }
    throw new BenchException("a chunk that was put was not got: " + outcome);
  }

  private static Sample timed(Runnable work, LongSupplier copied) {
    long copiedBefore = copied.getAsLong();
    long heap = ProcessMeter.allocatedBytes();
    long cpu = ProcessMeter.cpuNanos();
    long start = System.nanoTime();
    work.run();
    long wall = System.nanoTime() - start;
    cpu = ProcessMeter.cpuNanos() - cpu;
    heap = ProcessMeter.allocatedBytes() - heap;
    return new Sample(wall, cpu, heap, copied.getAsLong() - copiedBefore);
  }

  private Rate rate(List<Sample> samples) {
    double gib = settings.roundBytes() / GIB;
    double[] speeds =
        samples.stream().mapToDouble(s -> gib / (s.wall / NANOS_PER_SECOND)).sorted().toArray();
    long[] heap = samples.stream().mapToLong(Sample::heap).sorted().toArray();
    double cpu = samples.stream().mapToLong(Sample::cpu).sum() / NANOS_PER_SECOND;
    double copied = samples.stream().mapToLong(Sample::copied).sum();
    int n = samples.size();
    return new Rate(
        (speeds[n / 2] + speeds[(n - 1) / 2]) / 2,
        speeds[0],
        speeds[n - 1],
        cpu / (gib * n),
        (heap[n / 2] + heap[(n - 1) / 2]) / 2 / settings.batch(),
        copied / n / settings.batch());
  }

  private Latency lookups() {
    ChunkKey key = keys.get(0);
    long[] nanos = new long[LOOKUPS];
    int count = 0;
    long deadline = System.nanoTime() + LOOKUP_LIMIT_NANOS;
    for (long now = System.nanoTime(); count < LOOKUPS && now - deadline < 0; count++) {
      LockSupport.parkNanos(LOOKUP_PAUSE_NANOS);
      long sent = System.nanoTime();
      if (!connector.sync().exists(key)) {
        throw new BenchException("a chunk that was put is not there: " + key);
      }
      now = System.nanoTime();
      nanos[count] = now - sent;
    }
    Arrays.sort(nanos, 0, count);
    return new Latency(
        nanos[count / 2] / NANOS_PER_MICRO, nanos[(count - 1) * 99 / 100] / NANOS_PER_MICRO, count);
  }

  private Latency lookupsUnderLoad() {
    AtomicBoolean stop = new AtomicBoolean();
    CompletableFuture<Void> load =
        CompletableFuture.runAsync(
            () -> {
              while (!stop.get()) {
                List<GetOutcome> found = new ArrayList<>();
                getAll(found);
                found.forEach(outcome -> hit(outcome).close());
              }
            },
            task -> new Thread(task, "lmcache4j-bench-load").start());
    try {
      return lookups();
    } finally {
      stop.set(true);
      load.join();
    }
  }

  private record Round(Sample put, Sample get) {}

  private record Sample(long wall, long cpu, long heap, long copied) {}
}
