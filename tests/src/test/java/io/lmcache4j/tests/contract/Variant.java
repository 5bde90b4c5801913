/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import io.lmcache4j.redis.RedisConnectorOptions;
import java.util.ArrayList;
import java.util.List;

/**
 * One way to be connected.
 *
 * @param server to what
 * @param url how
 * @param path whether payloads are copied
 */
record Variant(TestServer server, String url, RedisConnectorOptions.Path path) {

  static List<Variant> all() {
    List<Variant> all = new ArrayList<>();
    for (TestServer server : Servers.running()) {
      for (RedisConnectorOptions.Path path : RedisConnectorOptions.Path.values()) {
        all.add(new Variant(server, server.tcpUrl(), path));
        String unixUrl = server.unixUrl();
        if (unixUrl != null) {
          all.add(new Variant(server, unixUrl, path));
        }
      }
    }
    return all;
  }

  @Override
  public String toString() {
    return server.name()
        + (url.startsWith("unix:") ? ", unix socket, " : ", TCP, ")
        + (path == RedisConnectorOptions.Path.AUTO ? "zero-copy" : "copying");
  }
}
