/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.rocm.fake;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.tests.docs.DocumentedCode;
import io.lmcache4j.tests.docs.GpuExample;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The code of docs/ROCM.md is code that runs, here on the fake. */
@FakeGpu
class GpuExampleTest {

  private final FakeHip fake = FakeHip.install();

  @Test
  void the_example_runs_and_leaves_nothing_behind() {
    RemoteMetadata metadata =
        RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, 32, 256, 64), DType.BFLOAT16);
    List<ChunkKey> keys = new ArrayList<>();
    for (long i = 0; i < 8; i++) {
      keys.add(CacheEngineKey.of("example/model", 1, 0, i, DType.BFLOAT16));
    }
    long copies = fake.count("copies");

    try (LocalRedis redis = LocalRedis.start()) {
      assertThat(GpuExample.roundTrip(redis.url(), keys, metadata)).isEqualTo(keys.size());
    }

    assertThat(fake.count("copies")).isEqualTo(copies + 2L * keys.size());
    Leaks.none(fake);
  }

  @Test
  void the_guide_shows_the_example_that_runs() throws IOException {
    DocumentedCode.assertShown("docs/ROCM.md", "GpuExample");
  }
}
