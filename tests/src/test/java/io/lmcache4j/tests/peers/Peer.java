/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.peers;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * The measuring that the Java peers have in common. A round is what {@code bench} makes of it: all
 * chunks put at once, then got at once, each timed from the first call to the last answer; bytes
 * are compared outside the timed part. Payloads are {@code byte[]}, and what it would cost to bring
 * them into pinned memory is not counted.
 */
abstract class Peer {

  private static final int WARM_UP_ROUNDS = 3;
  private static final long WARM_UP_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final double GIB = 1 << 30;
  private static final OperatingSystemMXBean SYSTEM =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  final int port;
  final int connections;
  final byte[][] headerKeys;
  final byte[][] payloadKeys;
  final byte[][] payloads;
  final byte[] header;

  private final String name;
  private final int rounds;

  /** Takes {@code PORT CHUNK_MIB BATCH ROUNDS CONNECTIONS}. */
  Peer(String name, String... args) {
    this.name = name;
    port = Integer.parseInt(args[0]);
    int chunk = Integer.parseInt(args[1]) << 20;
    int batch = Integer.parseInt(args[2]);
    rounds = Integer.parseInt(args[3]);
    connections = Integer.parseInt(args[4]);
    headerKeys = new byte[batch][];
    payloadKeys = new byte[batch][];
    payloads = new byte[batch][chunk];
    header =
        ByteBuffer.allocate(28)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(chunk)
            .putInt(1)
            .putInt(3)
            .putInt(2)
            .putInt(chunk >> 20)
            .putInt(256)
            .putInt(1024)
            .array();
    for (int i = 0; i < batch; i++) {
      String key = "lmcache4j-bench@1@0@" + Integer.toHexString(1000 + i) + "@bfloat16";
      headerKeys[i] = (key + "metadata").getBytes(StandardCharsets.UTF_8);
      payloadKeys[i] = (key + "kv_bytes").getBytes(StandardCharsets.UTF_8);
      Arrays.fill(payloads[i], (byte) ('a' + i));
    }
  }

  /** Puts every chunk, the payload first, and waits. */
  abstract void put() throws Exception;

  /** Gets every chunk, the header first, and waits; the payloads in their order. */
  abstract byte[][] get() throws Exception;

  /** Deletes the keys. */
  abstract void delete() throws Exception;

  final void measure() throws Exception {
    long start = System.nanoTime();
    for (int i = 0; i < WARM_UP_ROUNDS || System.nanoTime() - start < WARM_UP_NANOS; i++) {
      put();
      check(get());
    }
    double gib = payloads.length * (payloads[0].length / GIB);
    double[] puts = new double[rounds];
    double[] gets = new double[rounds];
    long putCpu = 0;
    long getCpu = 0;
    for (int i = 0; i < rounds; i++) {
      long cpu = SYSTEM.getProcessCpuTime();
      long wall = System.nanoTime();
      put();
      puts[i] = gib / ((System.nanoTime() - wall) / 1e9);
      putCpu += SYSTEM.getProcessCpuTime() - cpu;
      cpu = SYSTEM.getProcessCpuTime();
      wall = System.nanoTime();
      byte[][] got = get();
      gets[i] = gib / ((System.nanoTime() - wall) / 1e9);
      getCpu += SYSTEM.getProcessCpuTime() - cpu;
      check(got);
    }
    delete();
    System.out.printf(
        Locale.ROOT,
        "{\"peer\": \"%s\", \"connections\": %d, \"put\": %s, \"get\": %s}%n",
        name,
        connections,
        json(puts, putCpu / 1e9 / (gib * rounds)),
        json(gets, getCpu / 1e9 / (gib * rounds)));
  }

  private void check(byte[][] got) {
    for (int i = 0; i < payloads.length; i++) {
      if (!Arrays.equals(payloads[i], got[i])) {
        throw new IllegalStateException("chunk " + i + " came back different");
      }
    }
  }

  private static String json(double[] speeds, double cpu) {
    Arrays.sort(speeds);
    int n = speeds.length;
    return String.format(
        Locale.ROOT,
        "{\"gib_per_s\": %.4f, \"cpu_s_per_gib\": %.4f}",
        (speeds[n / 2] + speeds[(n - 1) / 2]) / 2,
        cpu);
  }
}
