/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.peers;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;

/** Lettuce as it comes, with {@code ByteArrayCodec}, everything pipelined. */
final class LettucePeer extends Peer {

  private final List<RedisAsyncCommands<byte[], byte[]>> ways = new ArrayList<>();

  private LettucePeer(RedisClient client, String... args) {
    super("Lettuce, byte[]", args);
    for (int i = 0; i < connections; i++) {
      StatefulRedisConnection<byte[], byte[]> connection =
          client.connect(ByteArrayCodec.INSTANCE, RedisURI.create("127.0.0.1", port));
      ways.add(connection.async());
    }
  }

  /** Runs with {@code PORT CHUNK_MIB BATCH ROUNDS CONNECTIONS}. */
  public static void main(String[] args) throws Exception {
    try (RedisClient client = RedisClient.create()) {
      new LettucePeer(client, args).measure();
    }
  }

  private RedisAsyncCommands<byte[], byte[]> way(int chunk) {
    return ways.get(chunk % ways.size());
  }

  @Override
  void put() throws ExecutionException, InterruptedException {
    List<RedisFuture<String>> replies = new ArrayList<>();
    for (int i = 0; i < payloads.length; i++) {
      replies.add(way(i).set(payloadKeys[i], payloads[i]));
      replies.add(way(i).set(headerKeys[i], header));
    }
    for (RedisFuture<String> reply : replies) {
      reply.get();
    }
  }

  @Override
  byte[][] get() throws ExecutionException, InterruptedException {
    List<RedisFuture<byte[]>> replies = new ArrayList<>();
    for (int i = 0; i < payloads.length; i++) {
      replies.add(way(i).get(headerKeys[i]));
      replies.add(way(i).get(payloadKeys[i]));
    }
    byte[][] got = new byte[payloads.length][];
    for (int i = 0; i < got.length; i++) {
      got[i] = replies.get(2 * i + 1).get();
    }
    return got;
  }

  @Override
  void delete() throws ExecutionException, InterruptedException {
    way(0).del(payloadKeys).get();
    way(0).del(headerKeys).get();
  }
}
