/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Which header fields go on from one connection to the next. */
final class Headers {

  /** RFC 9110, section 7.6.1, and those that go the same way by custom. */
  private static final Set<String> HOP_BY_HOP =
      Set.of(
          "connection",
          "keep-alive",
          "proxy-authenticate",
          "proxy-authorization",
          "proxy-connection",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

  /** What the client of the next connection sets itself. */
  private static final Set<String> OF_THE_REQUEST = Set.of("host", "content-length", "expect");

  private Headers() {}

  /** A client's fields for a worker. */
  static HttpHeaders forWorker(HttpHeaders received) {
    HttpHeaders kept = new DefaultHttpHeaders();
    Set<String> dropped = named(received.getAll("connection"));
    for (Map.Entry<String, String> field : received) {
      String name = field.getKey().toLowerCase(Locale.ROOT);
      if (!dropped.contains(name) && !OF_THE_REQUEST.contains(name)) {
        kept.add(field.getKey(), field.getValue());
      }
    }
    return kept;
  }

  /** A worker's fields for the client. */
  static HttpHeaders forClient(Map<String, List<String>> received) {
    HttpHeaders kept = new DefaultHttpHeaders();
    Set<String> dropped = named(received.getOrDefault("connection", List.of()));
    received.forEach(
        (name, values) -> {
          // HTTP/2 has fields of its own, such as ":status".
          if (!dropped.contains(name.toLowerCase(Locale.ROOT)) && !name.startsWith(":")) {
            kept.add(name, values);
          }
        });
    return kept;
  }

  /** All that end here: those by definition, and those that the sender names. */
  private static Set<String> named(List<String> connection) {
    Set<String> names = new HashSet<>(HOP_BY_HOP);
    for (String value : connection) {
      for (String name : value.split(",", -1)) {
        names.add(name.strip().toLowerCase(Locale.ROOT));
      }
    }
    return names;
  }
}
