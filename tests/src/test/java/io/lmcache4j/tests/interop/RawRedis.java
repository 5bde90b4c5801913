/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One database, or the nodes of one cluster, as they are: what stands under which key, whoever
 * wrote it.
 */
final class RawRedis implements AutoCloseable {

  private final RedisClient client = RedisClient.create();
  private final List<RedisCommands<byte[], byte[]>> nodes = new ArrayList<>();

  /** What single keys are read from and written to: they are not routed. */
  private final RedisCommands<byte[], byte[]> commands;

  RawRedis(String... urls) {
    for (String url : urls) {
      nodes.add(client.connect(ByteArrayCodec.INSTANCE, RedisURI.create(url)).sync());
    }
    commands = nodes.get(0);
  }

  /** Empties it. */
  RawRedis flush() {
    nodes.forEach(RedisCommands::flushdb);
    return this;
  }

  void set(String key, byte[] value) {
    commands.set(utf8(key), value);
  }

  byte @Nullable [] get(String key) {
    return commands.get(utf8(key));
  }

  boolean delete(String key) {
    return commands.del(utf8(key)) == 1;
  }

  boolean exists(String key) {
    return commands.exists(utf8(key)) == 1;
  }

  /** Every key, with the length and the digest of its value, in order. */
  Map<String, String> dump() {
    Map<String, String> all = new TreeMap<>();
    for (RedisCommands<byte[], byte[]> node : nodes) {
      for (byte[] key : node.keys("*")) {
        byte[] value = node.get(key);
        all.put(
            new String(key, StandardCharsets.UTF_8),
            value.length + " " + Payloads.sha256(ByteBuffer.wrap(value)));
      }
    }
    return all;
  }

  /** A header of any numbers. */
  static byte[] header(int... numbers) {
    ByteBuffer header =
        ByteBuffer.allocate(numbers.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int number : numbers) {
      header.putInt(number);
    }
    return header.array();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    client.shutdown();
  }
}
