/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.redis.RemoteUrl;

/** A Sentinel that watches one master, under the name that both sides ask for by default. */
final class LocalSentinel implements AutoCloseable {

  private final LocalRedis sentinel;

  LocalSentinel(LocalRedis master) {
    sentinel = LocalRedis.builder().embedded().arguments("--sentinel").start();
    RedisClient client = RedisClient.create();
    try {
      String name = RemoteUrl.DEFAULT_SERVICE_NAME;
      RedisURI address =
          RedisURI.Builder.sentinel("127.0.0.1", sentinel.port())
              .withSentinelMasterId(name)
              .build();
      client.connectSentinel(address).sync().monitor(name, "127.0.0.1", master.port(), 1);
    } finally {
      client.shutdown();
    }
  }

  /** Where it is, as both sides spell it. */
  String url() {
    return "redis-sentinel://127.0.0.1:" + sentinel.port();
  }

  @Override
  public void close() {
    sentinel.close();
  }
}
