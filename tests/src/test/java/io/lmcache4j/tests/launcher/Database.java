/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.launcher;

import io.lettuce.core.api.sync.RedisCommands;
import io.lmcache4j.cli.server.LocalRedis;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/** A Redis with a password. */
final class Database implements AutoCloseable {

  static final String PASSWORD = "correct-horse-battery";

  private final LocalRedis redis = LocalRedis.builder().password(PASSWORD).unixSocket().start();
  private final Peek peek = new Peek(redis.url());

  String url() {
    return redis.url();
  }

  String unixUrl() {
    return redis.unixUrl();
  }

  RedisCommands<String, byte[]> commands() {
    return peek.commands();
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
    peek.close();
    redis.close();
  }
}
