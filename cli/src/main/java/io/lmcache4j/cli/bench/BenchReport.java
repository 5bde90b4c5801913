/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.bench;

import io.lmcache4j.cli.bench.BenchResult.Rate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Writes results down: {@code bench.md}, {@code bench.csv} and two charts. */
public final class BenchReport {

  private static final String HEAD =
      "path,transport,chunk_mib,batch,connections,rounds,"
          + "put_gib_per_s,put_slowest,put_fastest,put_cpu_s_per_gib,"
          + "put_heap_bytes_per_chunk,put_copied_bytes_per_chunk,"
          + "get_gib_per_s,get_slowest,get_fastest,get_cpu_s_per_gib,"
          + "get_heap_bytes_per_chunk,get_copied_bytes_per_chunk,"
          + "lookup_idle_p50_us,lookup_idle_p99_us,lookup_loaded_p50_us,lookup_loaded_p99_us,"
          + "direct_bytes_peak,connection_bytes_peak\n";

  private BenchReport() {}

  /**
   * Writes.
   *
   * @param directory where; made if it is not there
   * @param results what, at least one
   * @return the files
   * @throws IOException if they cannot be written
   */
  public static List<Path> write(Path directory, List<BenchResult> results) throws IOException {
    Files.createDirectories(directory);
    Path throughput = directory.resolve("throughput.png");
    Path cpu = directory.resolve("cpu.png");
    BenchCharts.throughput(results, throughput);
    BenchCharts.cpu(results, cpu);
    return List.of(
        Files.writeString(directory.resolve("bench.md"), markdown(results)),
        Files.writeString(directory.resolve("bench.csv"), csv(results)),
        throughput,
        cpu);
  }

  private static String csv(List<BenchResult> results) {
    StringBuilder csv = new StringBuilder(HEAD);
    for (BenchResult r : results) {
      BenchSettings s = r.settings();
      csv.append(
          format(
              "%s,%s,%s,%d,%d,%d,%s,%s,%.1f,%.1f,%.1f,%.1f,%d,%d%n",
              r.path(),
              r.transport(),
              mib(s),
              s.batch(),
              s.connections(),
              s.rounds(),
              csv(r.put()),
              csv(r.get()),
              r.idleLookup().p50Micros(),
              r.idleLookup().p99Micros(),
              r.loadedLookup().p50Micros(),
              r.loadedLookup().p99Micros(),
              r.directBytesPeak(),
              r.connectionBytesPeak()));
    }
    return csv.toString();
  }

  private static String csv(Rate rate) {
    return format(
        "%.4f,%.4f,%.4f,%.4f,%d,%.1f",
        rate.gibPerSec(),
        rate.slowest(),
        rate.fastest(),
        rate.cpuSecPerGib(),
        rate.heapBytesPerChunk(),
        rate.copiedBytesPerChunk());
  }

  private static String markdown(List<BenchResult> results) {
    BenchResult first = results.get(0);
    StringBuilder md = new StringBuilder("# lmcache4j bench\n\n");
    md.append(
        format(
            "%s over %s; %s %s, %d processors, Java %s. Medians of %d rounds, the slowest and the"
                + " fastest in brackets.%n%n",
            first.server(),
            first.transport(),
            System.getProperty("os.name"),
            System.getProperty("os.arch"),
            Runtime.getRuntime().availableProcessors(),
            System.getProperty("java.version"),
            first.settings().rounds()));
    md.append("| path | chunk MiB | batch | conn. | put GiB/s | get GiB/s | put CPU s/GiB |");
    md.append(" get CPU s/GiB | heap B/chunk | copied B/chunk put, get |");
    md.append(" connections' direct KiB | lookup idle p50, p99 µs | under load p50, p99 µs |\n");
    md.append("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for (BenchResult r : results) {
      BenchSettings s = r.settings();
      md.append(
          format(
              "| %s | %s | %d | %d | %s | %s | %.3f | %.3f | %d | %.0f, %.0f | %d | %.0f, %.0f |"
                  + " %.0f, %.0f |%n",
              r.path(),
              mib(s),
              s.batch(),
              s.connections(),
              speed(r.put()),
              speed(r.get()),
              r.put().cpuSecPerGib(),
              r.get().cpuSecPerGib(),
              r.heapBytesPerChunk(),
              r.put().copiedBytesPerChunk(),
              r.get().copiedBytesPerChunk(),
              r.connectionBytesPeak() >> 10,
              r.idleLookup().p50Micros(),
              r.idleLookup().p99Micros(),
              r.loadedLookup().p50Micros(),
              r.loadedLookup().p99Micros()));
    }
    md.append("\n![Throughput against chunk size](throughput.png)\n");
    md.append("\n![CPU against chunk size](cpu.png)\n");
    return md.toString();
  }

  private static String speed(Rate rate) {
    return format("%.2f (%.2f, %.2f)", rate.gibPerSec(), rate.slowest(), rate.fastest());
  }

  private static String mib(BenchSettings settings) {
    double mib = settings.chunkMib();
    return mib == Math.rint(mib) ? Integer.toString((int) mib) : Double.toString(mib);
  }

  private static String format(String format, Object... args) {
    return String.format(Locale.ROOT, format, args);
  }
}
