/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.bench;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.redis.RedisConnectorOptions.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class BenchPayloadsTest {

  private static final int CHUNK = 64 << 10;
  private static final BenchSettings SETTINGS =
      new BenchSettings("redis://localhost", CHUNK, 2, 1, 1, null, Path.AUTO, null);

  @Test
  void aPageOfAnotherRoundOrChunkAndOneWrongByteAreNoticed() {
    try (HostMemory memory = DirectMemory.create(1 << 20);
        BenchPayloads payloads = new BenchPayloads(SETTINGS, memory);
        ChunkBuffer copy = Objects.requireNonNull(memory.tryLease(CHUNK))) {
      payloads.stamp(1);
      copy.nio().put(payloads.chunks().get(0).payload().nio());
      payloads.verify(0, copy);
      assertThatThrownBy(() -> payloads.verify(1, copy)).isInstanceOf(BenchException.class);

      copy.nio().put(CHUNK - 1, (byte) ~copy.nio().get(CHUNK - 1));
      assertThatThrownBy(() -> payloads.verify(0, copy))
          .hasMessageContaining("from byte " + (CHUNK - 1));

      copy.nio().put(payloads.chunks().get(0).payload().nio());
      payloads.stamp(2);
      assertThatThrownBy(() -> payloads.verify(0, copy)).isInstanceOf(BenchException.class);
    }
  }
}
