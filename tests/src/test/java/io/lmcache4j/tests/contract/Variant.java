/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import io.lmcache4j.redis.RedisConnectorOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * One way to be connected.
 *
 * @param server to what
 * @param layout how chunks lie there
 * @param path whether payloads are copied
 */
record Variant(TestServer server, Layout layout, RedisConnectorOptions.Path path) {

  /** LMCache's two keys, in every topology. */
  static List<Variant> pairs() {
    return of(Set.of(Layout.PAIR), Set.of(Topology.values()));
  }

  /**
   * Two keys, once for each way that bytes take: over Sentinel they take that of TCP, and in a
   * cluster over TLS those of the two.
   */
  static List<Variant> ways() {
    return of(
        Set.of(Layout.PAIR), Set.of(Topology.TCP, Topology.UNIX, Topology.TLS, Topology.CLUSTER));
  }

  /** One key a chunk. */
  static List<Variant> singles() {
    return of(Set.of(Layout.RESP, Layout.VALKEY), Set.of(Topology.values()));
  }

  /** The two keys of Valkey's older connector. */
  static List<Variant> valkeyPairs() {
    return of(Set.of(Layout.VALKEY_PAIR), Set.of(Topology.values()));
  }

  /** Two keys on one server, and in a cluster. */
  static List<Variant> plain() {
    return of(Set.of(Layout.PAIR), Set.of(Topology.TCP, Topology.CLUSTER));
  }

  /** The layouts whose chunks have a header. */
  static List<Variant> withMetadata() {
    return of(Set.of(Layout.PAIR, Layout.VALKEY_PAIR), Set.of(Topology.values()));
  }

  /** All there are. */
  static List<Variant> all() {
    return of(Set.of(Layout.values()), Set.of(Topology.values()));
  }

  private static List<Variant> of(Set<Layout> layouts, Set<Topology> topologies) {
    List<Variant> variants = new ArrayList<>();
    for (TestServer server : Servers.running()) {
      for (Layout layout : Layout.values()) {
        if (layouts.contains(layout)
            && topologies.contains(server.topology())
            && layout.isFor(server.topology())) {
          for (RedisConnectorOptions.Path path : RedisConnectorOptions.Path.values()) {
            variants.add(new Variant(server, layout, path));
          }
        }
      }
    }
    return variants;
  }

  String url() {
    return layout.url(server);
  }

  /** The URL without what stands behind the question mark. */
  String bareUrl() {
    return url().replaceFirst("[?].*", "");
  }

  /**
   * The URL for a user.
   *
   * @param userInfo what stands before the {@code @}
   */
  String urlAs(String userInfo) {
    return url().replaceFirst("://", "://" + userInfo + "@");
  }

  String urlOfDatabase(int database) {
    boolean path = server.topology() != Topology.UNIX && server.topology() != Topology.SENTINEL;
    if (path) {
      return url().replaceFirst("([?].*)?$", "/" + database + "$1");
    }
    return url() + (url().indexOf('?') < 0 ? "?" : "&") + "db=" + database;
  }

  boolean isCluster() {
    return server.topology().isCluster();
  }

  String pathText() {
    return path == RedisConnectorOptions.Path.AUTO ? "zero-copy" : "copying";
  }

  @Override
  public String toString() {
    return server.name()
        + ", "
        + server.topology()
        + (layout == Layout.PAIR ? ", " : ", " + layout + ", ")
        + pathText();
  }
}
