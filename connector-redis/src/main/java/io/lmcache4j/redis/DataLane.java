/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.api.StatefulConnection;
import io.lmcache4j.redis.wire.WireCommand;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** One data connection and what is under way on it. */
final class DataLane {

  private final StatefulConnection<byte[], byte[]> connection;
  private final AtomicLong outstandingBytes = new AtomicLong();

  DataLane(StatefulConnection<byte[], byte[]> connection) {
    this.connection = connection;
  }

  /** One lane for each connection. */
  static List<DataLane> of(List<? extends StatefulConnection<byte[], byte[]>> connections) {
    List<DataLane> lanes = new ArrayList<>(connections.size());
    for (StatefulConnection<byte[], byte[]> connection : connections) {
      lanes.add(new DataLane(connection));
    }
    return List.copyOf(lanes);
  }

  /** Sends a command behind all those sent before. It ends even if the connection refuses it. */
  void dispatch(WireCommand<?> command) {
    try {
      connection.dispatch(command);
    } catch (RuntimeException e) {
      command.completeExceptionally(e);
    }
  }

  void add(long bytes) {
    outstandingBytes.addAndGet(bytes);
  }

  boolean isOpen() {
    return connection.isOpen();
  }

  boolean isBetterThan(DataLane other) {
    boolean open = isOpen();
    return open == other.isOpen() ? outstandingBytes.get() < other.outstandingBytes.get() : open;
  }

  long outstandingBytes() {
    return outstandingBytes.get();
  }
}
