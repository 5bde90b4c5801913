/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.api.StatefulRedisConnection;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a server calls itself. */
final class ServerName {

  /**
   * What is said of a server that does not tell: INFO may be forbidden, and nothing depends on it.
   */
  static final String UNKNOWN = "unknown";

  private static final Pattern FIELD =
      Pattern.compile("(?m)^(server_name|valkey_version|redis_version):(.*?)\\r?$");

  private ServerName() {}

  static String ask(StatefulRedisConnection<byte[], byte[]> connection, Duration timeout) {
    try {
      return parse(
          connection.async().info("server").get(timeout.toMillis(), TimeUnit.MILLISECONDS));
    } catch (ExecutionException | TimeoutException e) {
      return UNKNOWN;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return UNKNOWN;
    }
  }

  /** Valkey goes on calling itself redis_version 7.2.4, and says what it is beside that. */
  static String parse(String info) {
    String name = "redis";
    String redis = null;
    String valkey = null;
    Matcher m = FIELD.matcher(info);
    while (m.find()) {
      switch (m.group(1)) {
        case "server_name" -> name = m.group(2);
        case "valkey_version" -> valkey = m.group(2);
        default -> redis = m.group(2);
      }
    }
    String version = valkey == null ? redis : valkey;
    return version == null ? UNKNOWN : name + " " + version;
  }
}
