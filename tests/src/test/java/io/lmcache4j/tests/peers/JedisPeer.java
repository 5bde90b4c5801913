/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;

/** Jedis: a thread for each connection, the two commands of a chunk pipelined. */
final class JedisPeer extends Peer {

  /** What one connection does with one chunk. */
  @FunctionalInterface
  private interface Step {
    void run(Jedis jedis, int chunk);
  }

  private final List<Jedis> ways = new ArrayList<>();
  private final ExecutorService threads;

  private JedisPeer(String... args) {
    super("Jedis", args);
    threads = Executors.newFixedThreadPool(connections);
    for (int i = 0; i < connections; i++) {
      ways.add(new Jedis("127.0.0.1", port));
    }
  }

  /** Runs with {@code PORT CHUNK_MIB BATCH ROUNDS CONNECTIONS}. */
  public static void main(String[] args) throws Exception {
    JedisPeer peer = new JedisPeer(args);
    peer.measure();
    peer.threads.shutdown();
    peer.ways.forEach(Jedis::close);
  }

  private void forEachChunk(Step step) throws ExecutionException, InterruptedException {
    List<Callable<Void>> parts = new ArrayList<>();
    for (int w = 0; w < ways.size(); w++) {
      int way = w;
      parts.add(
          () -> {
            for (int i = way; i < payloads.length; i += ways.size()) {
              step.run(ways.get(way), i);
            }
            return null;
          });
    }
    for (Future<Void> part : threads.invokeAll(parts)) {
      part.get();
    }
  }

  @Override
  void put() throws ExecutionException, InterruptedException {
    forEachChunk(
        (jedis, i) -> {
          try (Pipeline pipeline = jedis.pipelined()) {
            Response<String> payload = pipeline.set(payloadKeys[i], payloads[i]);
            Response<String> metadata = pipeline.set(headerKeys[i], header);
            pipeline.sync();
            payload.get();
            metadata.get();
          }
        });
  }

  @Override
  byte[][] get() throws ExecutionException, InterruptedException {
    byte[][] got = new byte[payloads.length][];
    forEachChunk(
        (jedis, i) -> {
          try (Pipeline pipeline = jedis.pipelined()) {
            Response<byte[]> metadata = pipeline.get(headerKeys[i]);
            Response<byte[]> payload = pipeline.get(payloadKeys[i]);
            pipeline.sync();
            metadata.get();
            got[i] = payload.get();
          }
        });
    return got;
  }

  @Override
  void delete() {
    ways.get(0).del(payloadKeys);
    ways.get(0).del(headerKeys);
  }
}
