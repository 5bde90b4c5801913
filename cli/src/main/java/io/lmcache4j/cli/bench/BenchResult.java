/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What was measured of one configuration; see {@link Bench} for the definitions.
 *
 * @param settings what was measured
 * @param server name and version of the server
 * @param transport how Netty reads the socket
 * @param path {@code zero-copy} or {@code copy}: the path that ran, not the one that was asked for
 * @param put storing
 * @param get reading
 * @param idleLookup a lookup with nothing else under way
 * @param loadedLookup a lookup while batches are read without a pause
 * @param directBytesPeak the most direct memory that the process held, chunk memory included
 * @param connectionBytesPeak the most that was held for the connections' own buffers
 */
public record BenchResult(
    BenchSettings settings,
    String server,
    String transport,
    String path,
    Rate put,
    Rate get,
    Latency idleLookup,
    Latency loadedLookup,
    long directBytesPeak,
    long connectionBytesPeak) {

  /**
   * One direction.
   *
   * @param gibPerSec median of the rounds
   * @param slowest the slowest round, GiB/s
   * @param fastest the fastest round, GiB/s
   * @param cpuSecPerGib CPU time of this process
   * @param heapBytesPerChunk heap allocated by all threads
   * @param copiedBytesPerChunk payload bytes that the connector copied in user space
   */
  public record Rate(
      double gibPerSec,
      double slowest,
      double fastest,
      double cpuSecPerGib,
      long heapBytesPerChunk,
      double copiedBytesPerChunk) {

    private Map<String, Object> json() {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("gibPerSec", rounded(gibPerSec, 1e4));
      json.put("cpuSecPerGib", rounded(cpuSecPerGib, 1e4));
      return json;
    }
  }

  /**
   * Times of single lookups.
   *
   * @param p50Micros the median, in microseconds
   * @param p99Micros what 99 of 100 keep below, in microseconds
   * @param count how many were measured
   */
  public record Latency(double p50Micros, double p99Micros, int count) {

    private Map<String, Object> json() {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("p50Micros", rounded(p50Micros, 10));
      json.put("p99Micros", rounded(p99Micros, 10));
      return json;
    }
  }

  /**
   * The heap that the dearer direction allocates.
   *
   * @return bytes for each chunk
   */
  public long heapBytesPerChunk() {
    return Math.max(put.heapBytesPerChunk, get.heapBytesPerChunk);
  }

  /**
   * Copies that the connector made of each payload byte.
   *
   * @param rate the direction
   * @return a ratio, 0 when the kernel read and wrote the chunks' own memory
   */
  public double copiesPerByte(Rate rate) {
    return rate.copiedBytesPerChunk / settings.chunkBytes();
  }

  /**
   * The object that {@code --json} prints.
   *
   * @return names and values, in their order
   */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("put", put.json());
    json.put("get", get.json());
    json.put("lookup", loadedLookup.json());
    json.put("heapBytesPerChunk", heapBytesPerChunk());
    json.put("directBytesPeak", directBytesPeak);
    json.put("path", path);
    json.put("transport", transport);
    double mib = settings.chunkMib();
    if (mib == Math.rint(mib)) {
      json.put("chunkMib", (int) mib);
    } else {
      json.put("chunkMib", mib);
    }
    json.put("batch", settings.batch());
    json.put("connections", settings.connections());
    return json;
  }

  private static double rounded(double value, double unit) {
    return Math.rint(value * unit) / unit;
  }
}
