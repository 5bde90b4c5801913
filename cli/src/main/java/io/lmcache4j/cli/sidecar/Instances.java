/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Workers of one kind, that take turns. */
final class Instances {

  private final List<URI> urls;
  private final AtomicInteger next = new AtomicInteger();

  Instances(List<URI> urls) {
    this.urls = List.copyOf(urls);
  }

  boolean isEmpty() {
    return urls.isEmpty();
  }

  /**
   * Whom to ask in turn, until one is reached. One that is alone is asked twice: a connection that
   * was kept open may be closed by the worker at the moment at which it is used again.
   */
  List<URI> turn() {
    int first = Math.floorMod(next.getAndIncrement(), urls.size());
    List<URI> turn = new ArrayList<>(urls.subList(first, urls.size()));
    turn.addAll(urls.subList(0, first));
    if (turn.size() == 1) {
      turn.add(turn.get(0));
    }
    return turn;
  }
}
