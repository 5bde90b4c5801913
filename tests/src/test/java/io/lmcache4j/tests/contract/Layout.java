/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

/** How a chunk lies in Redis, which the scheme of the URL says. */
enum Layout {
  /** {@code <K>metadata}, {@code <K>kv_bytes}. */
  PAIR("two keys"),
  /** {@code <K>}, of LMCache's C++ client. */
  RESP("resp"),
  /** {@code <K>}, of LMCache's Valkey connector. */
  VALKEY("valkey"),
  /** {@code <K>:metadata}, {@code <K>:kv_bytes}; in a cluster {@code {<K>}:metadata} … */
  VALKEY_PAIR("valkey, two keys");

  private final String text;

  Layout(String text) {
    this.text = text;
  }

  /** Whether a URL can ask for it there. */
  boolean isFor(Topology topology) {
    return switch (this) {
      case PAIR -> true;
      case RESP -> topology == Topology.TCP || topology == Topology.TLS;
      case VALKEY, VALKEY_PAIR ->
          topology == Topology.TCP || topology == Topology.TLS || topology.isCluster();
    };
  }

  private String scheme(Topology topology) {
    return switch (this) {
      case PAIR ->
          switch (topology) {
            case TCP -> "redis";
            case UNIX -> "unix";
            case TLS -> "rediss";
            case SENTINEL, SENTINEL_TLS -> "redis-sentinel";
            case CLUSTER, CLUSTER_TLS -> "redis-cluster";
          };
      case RESP -> "resp";
      case VALKEY, VALKEY_PAIR -> "valkey";
    };
  }

  /** The URL, as far as the layout decides it. */
  String url(TestServer server) {
    String url = scheme(server.topology()) + "://" + server.address();
    if (server.topology().isTls()) {
      url = and(url, "ssl_ca_certs=" + TestServer.authority());
      if (!url.startsWith("rediss:")) {
        url = and(url, "ssl=true");
      }
    }
    return this == VALKEY_PAIR ? and(url, "layout=pair") : url;
  }

  private static String and(String url, String parameter) {
    return url + (url.indexOf('?') < 0 ? "?" : "&") + parameter;
  }

  @Override
  public String toString() {
    return text;
  }
}
