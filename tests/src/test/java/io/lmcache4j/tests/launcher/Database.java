/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.launcher;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import io.lmcache4j.cli.server.LocalRedis;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/** A Redis with a password, and a look at all that it holds that is none of ours. */
final class Database implements AutoCloseable {

  static final String PASSWORD = "correct-horse-battery";

  private final LocalRedis redis = LocalRedis.builder().password(PASSWORD).unixSocket().start();
  private final RedisClient client = RedisClient.create(redis.url());
  private final StatefulRedisConnection<String, byte[]> connection =
      client.connect(RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE));

  String url() {
    return redis.url();
  }

  String unixUrl() {
    return redis.unixUrl();
  }

  RedisCommands<String, byte[]> commands() {
    return connection.sync();
  }

  /** Every key with its value in hexadecimal digits. */
  Map<String, String> content() {
    Map<String, String> content = new TreeMap<>();
    for (String key : commands().keys("*")) {
      content.put(key, HexFormat.of().formatHex(commands().get(key)));
    }
    return content;
  }

  @Override
  public void close() {
    connection.close();
    client.shutdown();
    redis.close();
  }
}
