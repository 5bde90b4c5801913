/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Keeps what a listener is told, as short texts. */
final class RecordedEvents implements ConnectorListener {

  final List<String> texts = new CopyOnWriteArrayList<>();

  @Override
  public void operationEnded(OperationEvent event) {
    texts.add(event.kind() + " " + event.result() + " " + event.bytes());
  }

  @Override
  public void unavailable(String node, Duration silence) {
    texts.add(node + " unavailable");
  }

  @Override
  public void available(String node, Duration silence) {
    texts.add(node + " available");
  }
}
