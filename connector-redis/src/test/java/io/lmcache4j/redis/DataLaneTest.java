/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.api.StatefulRedisConnection;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class DataLaneTest {

  private final AtomicBoolean firstOpen = new AtomicBoolean(true);
  private final AtomicBoolean secondOpen = new AtomicBoolean(true);
  private final DataLane first = lane(firstOpen);
  private final DataLane second = lane(secondOpen);

  @Test
  void fewerBytesUnderWayAreBetter() {
    first.add(2);
    second.add(1);

    assertThat(second.isBetterThan(first)).isTrue();
    assertThat(first.isBetterThan(second)).isFalse();
  }

  @Test
  void aLostConnectionIsWorseThanABusyOne() {
    first.add(1000);
    secondOpen.set(false);

    assertThat(second.isBetterThan(first)).isFalse();
    assertThat(first.isBetterThan(second)).isTrue();
  }

  @Test
  void amongLostOnesBytesCountAgain() {
    first.add(1000);
    firstOpen.set(false);
    secondOpen.set(false);

    assertThat(second.isBetterThan(first)).isTrue();
  }

  @SuppressWarnings("unchecked")
  private static DataLane lane(AtomicBoolean open) {
    return new DataLane(
        (StatefulRedisConnection<byte[], byte[]>)
            Proxy.newProxyInstance(
                DataLaneTest.class.getClassLoader(),
                new Class<?>[] {StatefulRedisConnection.class},
                (proxy, method, args) -> {
                  if (method.getName().equals("isOpen")) {
                    return open.get();
                  }
                  throw new UnsupportedOperationException(method.toString());
                }));
  }
}
