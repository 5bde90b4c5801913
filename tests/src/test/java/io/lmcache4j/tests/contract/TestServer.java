/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import io.lmcache4j.tests.servers.Certificates;
import io.lmcache4j.tests.servers.RawRedis;
import java.util.function.Supplier;

/**
 * What runs for the tests of this JVM behind one address.
 *
 * @param name of the server program and its version
 * @param topology how its servers are arranged
 * @param address what stands behind the scheme of a URL: hosts and ports, or a path
 * @param connecting opens a raw client
 */
record TestServer(String name, Topology topology, String address, Supplier<RawRedis> connecting) {

  /** The first port. */
  int port() {
    String first = address.split(",", -1)[0];
    return Integer.parseInt(first.substring(first.lastIndexOf(':') + 1));
  }

  /** The first host. */
  String host() {
    return address.substring(0, address.indexOf(':'));
  }

  RawRedis raw() {
    return connecting.get();
  }

  /** Whom clients of a server with TLS have to trust. */
  static String authority() {
    return Certificates.ofThisRun().authority().toString();
  }
}
