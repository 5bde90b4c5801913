/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.wire;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Looks at what is really there, over a connection of Lettuce's that nobody has touched. */
final class PlainRedis implements AutoCloseable {

  private final RedisClient client;
  private final StatefulRedisConnection<byte[], byte[]> connection;

  PlainRedis(String url) {
    client = RedisClient.create(url);
    connection = client.connect(ByteArrayCodec.INSTANCE);
  }

  ByteBuffer get(String key) {
    return ByteBuffer.wrap(Objects.requireNonNull(getOrNull(key)));
  }

  byte @Nullable [] getOrNull(String key) {
    return connection.sync().get(key.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void close() {
    client.shutdown();
  }
}
