/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorException;
import io.lmcache4j.redis.RedisConnectorOptions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A server that is not there yet: opening fails in time and leaves nothing, and later succeeds. */
@ExtendWith(Report.Extension.class)
final class AbsentServerTest {

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);
  private static final Duration SLACK = Duration.ofSeconds(5);

  private static String refused(String url) {
    RedisConnectorOptions options =
        RedisConnectorOptions.builder(url).connectTimeout(CONNECT_TIMEOUT).build();
    long startedAt = System.nanoTime();
    RedisConnectorException failure =
        catchThrowableOfType(
            RedisConnectorException.class, () -> RedisConnector.open(options).close());
    Duration took = Duration.ofNanos(System.nanoTime() - startedAt);
    assertThat(failure).isNotNull();
    assertThat(took).isLessThan(CONNECT_TIMEOUT.plus(SLACK));
    Caller.soon(
        () ->
            Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().startsWith("lettuce")));
    return "after "
        + took.toMillis()
        + " ms: `"
        + String.valueOf(failure.getMessage()).replace(url, "URL")
        + "`";
  }

  @Test
  void openingFailsInTimeAndSucceedsOnceTheServerIsThere(Report report) throws Exception {
    try (FaultBed bed = new FaultBed()) {
      bed.kill();
      report.note(Report.Topic.ABSENT, "nobody listens: " + refused(bed.url()));
      bed.startAnew();
      bed.proxy().vanish(true);
      report.note(
          Report.Topic.ABSENT,
          "nobody answers, with a `connectTimeout` of 1 s: " + refused(bed.url()));
      bed.proxy().vanish(false);
      List<Caller> callers = Caller.ofBothPaths(bed.url(), options -> options, 1, key -> 1 << 20);
      try {
        for (Caller caller : callers) {
          caller.load().start(1, 1);
          caller.recovered(SLACK);
          caller.quiet();
          assertThat(caller.tally().wrongBytes()).isZero();
        }
      } finally {
        for (Caller caller : callers) {
          caller.close();
        }
      }
    }
  }
}
