/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import io.lmcache4j.cli.server.LocalRedis;
import org.jspecify.annotations.Nullable;

/**
 * A server that runs for the tests of this JVM.
 *
 * @param name what it is
 * @param host where it listens
 * @param port where it listens
 * @param unixUrl the URL of its unix socket, or null if this machine cannot reach one
 */
record TestServer(String name, String host, int port, @Nullable String unixUrl) {

  static TestServer of(LocalRedis redis) {
    return new TestServer(redis.version(), "127.0.0.1", redis.port(), redis.unixUrl());
  }

  String tcpUrl() {
    return "redis://" + host + ":" + port;
  }

  RawRedis raw() {
    return new RawRedis(host, port);
  }
}
