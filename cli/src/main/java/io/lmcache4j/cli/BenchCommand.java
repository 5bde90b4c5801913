/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.cli.bench.Bench;
import io.lmcache4j.cli.bench.BenchException;
import io.lmcache4j.cli.bench.BenchReport;
import io.lmcache4j.cli.bench.BenchResult;
import io.lmcache4j.cli.bench.BenchSettings;
import io.lmcache4j.cli.bench.Sweep;
import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.redis.RedisConnectorOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Measures the connector. */
@Command(
    name = "bench",
    description = "Measures puts, gets and lookups.",
    footer = {
      "",
      "Without --url it starts a Redis of its own; the variables of LMCache are not looked at.",
      "",
      "put, get   A batch is put, then got, all chunks at once, timed to the last outcome; GiB/s",
      "           are the median of the rounds. A warm-up is left out. Each round writes other",
      "           bytes, and every byte that comes back is compared, outside the timed part.",
      "CPU        of this process, all threads, in the timed parts: the total of the rounds, since",
      "           the JVM reads it in steps of 10 ms.",
      "heap       that all threads together allocated, per chunk; of put and get the larger.",
      "direct     memory that the process held at its peak, chunk memory included; what the",
      "           connections' own buffers took of it is printed beside it.",
      "copied     bytes of a chunk that the connector copied in user space, counted as it does so.",
      "lookup     EXISTS, 1 ms between them, idle and while batches are got without a pause;",
      "           --json tells the latter."
    })
final class BenchCommand implements Callable<Integer> {

  /** Should the bench be killed, what it left on a server of others goes by itself. */
  private static final Duration SAFETY_NET = Duration.ofMinutes(10);

  private static final int DEFAULT_BATCH = 8;

  @ParentCommand private Lmcache4j app;

  @Option(
      names = "--chunk-mib",
      paramLabel = "MIB",
      defaultValue = "32",
      converter = Converters.ToMebibytes.class,
      description = "Size of a chunk in MiB, a multiple of 1/1024. Default: ${DEFAULT-VALUE}.")
  private int chunkBytes;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description =
          "Chunks that are under way at one time. Default: "
              + DEFAULT_BATCH
              + "; in a sweep as many as make 256 MiB.")
  private @Nullable Integer batch;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "9",
      description = "Rounds that count. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--connections",
      paramLabel = "N",
      defaultValue = "" + RedisConnectorOptions.DEFAULT_DATA_CONNECTIONS,
      description = "Connections for payloads. Default: ${DEFAULT-VALUE}.")
  private int connections;

  @Option(
      names = "--in-flight-mib",
      paramLabel = "MIB",
      converter = Converters.ToMebibytes.class,
      description = "Payload bytes in flight at one time. Default: 32 MiB for each connection.")
  private @Nullable Integer inFlightBytes;

  @Option(
      names = "--path",
      paramLabel = "PATH",
      converter = Converters.ToPath.class,
      description = "zero-copy or copy. Default: zero-copy; in a sweep both.")
  private RedisConnectorOptions.@Nullable Path path;

  @Option(
      names = "--sweep",
      description = "Measure chunks of 0.25 to 80 MiB, as far as memory allows.")
  private boolean sweep;

  @Option(
      names = "--report",
      paramLabel = "DIR",
      description = "Write the results there as Markdown, CSV and charts.")
  private @Nullable Path report;

  @Option(
      names = "--json",
      description = "Print one JSON object; in a sweep one on each line, one for each measurement.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    String url = app.urlOption();
    if (url != null) {
      return run(url, SAFETY_NET);
    }
    try (LocalRedis redis = LocalRedis.start()) {
      return run(redis.url(), null);
    }
  }

  private int run(String url, @Nullable Duration ttl) throws IOException {
    List<BenchResult> results = new ArrayList<>();
    try {
      for (BenchSettings settings : plan(url, ttl)) {
        BenchResult result = measure(settings);
        print(result, results.isEmpty());
        results.add(result);
      }
    } catch (BenchException e) {
      throw CommandException.absent(String.valueOf(e.getMessage()));
    }
    if (report != null) {
      for (Path file : BenchReport.write(report, results)) {
        app.note("wrote " + file);
      }
    }
    return ExitCode.OK;
  }

  private List<BenchSettings> plan(String url, @Nullable Duration ttl) {
    RedisConnectorOptions.Path one = path == null ? RedisConnectorOptions.Path.AUTO : path;
    try {
      if (!sweep) {
        int size = batch == null ? DEFAULT_BATCH : batch;
        return List.of(
            new BenchSettings(url, chunkBytes, size, rounds, connections, inFlight(), one, ttl));
      }
      long free = FreeMemory.bytes();
      Sweep points = Sweep.plan(free, batch);
      if (!points.left().isEmpty()) {
        app.note(
            "left out, with "
                + Figures.bytes(free)
                + " of memory free: chunks of "
                + points.left().stream().map(Figures::bytes).toList());
      }
      List<BenchSettings> plan = new ArrayList<>();
      for (RedisConnectorOptions.Path each :
          path == null
              ? RedisConnectorOptions.Path.values()
              : new RedisConnectorOptions.Path[] {one}) {
        for (Sweep.Point point : points.points()) {
          plan.add(
              new BenchSettings(
                  url,
                  point.chunkBytes(),
                  point.batch(),
                  rounds,
                  connections,
                  inFlight(),
                  each,
                  ttl));
        }
      }
      return plan;
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput(String.valueOf(e.getMessage()));
    }
  }

  private @Nullable Long inFlight() {
    return inFlightBytes == null ? null : (long) inFlightBytes;
  }

  private BenchResult measure(BenchSettings settings) {
    String what = Figures.bytes(settings.chunkBytes()) + " x " + settings.batch();
    try (Progress progress = app.progress(what, Bench.bytes(settings))) {
      return Bench.run(settings, progress::step);
    }
  }

  private void print(BenchResult result, boolean first) {
    if (json) {
      app.out().println(Json.line(result.json()));
      app.out().flush();
      return;
    }
    BenchSettings settings = result.settings();
    if (first) {
      print("server     %s (%s)", Secrets.mask(settings.url()), result.server());
    }
    print("");
    print(
        "%s, %s: %d chunks of %s, %d data connections, %d rounds",
        result.path(),
        result.transport(),
        settings.batch(),
        Figures.bytes(settings.chunkBytes()),
        settings.connections(),
        settings.rounds());
    print(
        "%-6s %8s %18s %12s %14s %16s %12s",
        "",
        "GiB/s",
        "slowest, fastest",
        "CPU s/GiB",
        "heap B/chunk",
        "copied B/chunk",
        "copies/byte");
    rate("put", result, result.put());
    rate("get", result, result.get());
    print(
        "lookup, p50 and p99: idle %.0f and %.0f µs, while chunks are got %.0f and %.0f µs",
        result.idleLookup().p50Micros(),
        result.idleLookup().p99Micros(),
        result.loadedLookup().p50Micros(),
        result.loadedLookup().p99Micros());
    print(
        "direct memory at its peak: %s, of which %s for the connections' own buffers",
        Figures.bytes(result.directBytesPeak()), Figures.bytes(result.connectionBytesPeak()));
  }

  private void rate(String name, BenchResult result, BenchResult.Rate rate) {
    print(
        "%-6s %8.2f %18s %12.3f %,14d %,16.0f %12.6f",
        name,
        rate.gibPerSec(),
        String.format(Locale.ROOT, "%.2f, %.2f", rate.slowest(), rate.fastest()),
        rate.cpuSecPerGib(),
        rate.heapBytesPerChunk(),
        rate.copiedBytesPerChunk(),
        result.copiesPerByte(rate));
  }

  private void print(String format, Object... args) {
    app.out().println(String.format(Locale.ROOT, format, args));
    app.out().flush();
  }
}
