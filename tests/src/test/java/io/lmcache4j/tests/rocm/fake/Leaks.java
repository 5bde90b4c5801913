/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What must be nothing once everything is closed. */
final class Leaks {

  private static final List<String> COUNTERS =
      List.of(
          "live_host",
          "live_registered",
          "live_device",
          "live_ipc",
          "live_streams",
          "live_events",
          "host_bytes",
          "device_bytes",
          "pending");

  private Leaks() {}

  /** Fails if the runtime holds anything, or has seen misuse. */
  static void none(FakeHip fake) {
    Map<String, Long> left = new LinkedHashMap<>();
    for (String counter : COUNTERS) {
      long value = fake.count(counter);
      if (value != 0) {
        left.put(counter, value);
      }
    }
    assertThat(left).as("what the runtime still holds").isEmpty();
    assertThat(fake.violations()).as("misuse").isEmpty();
  }
}
