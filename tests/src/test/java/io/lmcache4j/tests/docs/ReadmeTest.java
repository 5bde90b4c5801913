/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.cli.server.LocalRedis;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** The README's code is code that runs. */
final class ReadmeTest {

  @Test
  void theExampleRuns() {
    try (LocalRedis redis = LocalRedis.start()) {
      assertThat(EmbeddingExample.roundTrip(redis.url())).isEqualTo(2 * 32 * 256 * 1024 * 2);
    }
  }

  @Test
  void theReadmeShowsTheExampleThatRuns() throws IOException {
    DocumentedCode.assertShown("README.md", "EmbeddingExample");
  }
}
