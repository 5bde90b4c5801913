/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sixteen threads, payloads of 1 byte to 64 MiB: each comes back as it went. It is about the bytes
 * on their way, so it is run once for each way that they take, and not for each topology.
 */
@MethodSource("io.lmcache4j.tests.contract.Variant#ways")
final class ConcurrencyTest extends Contract {

  private static final int THREADS = 16;
  private static final int ROUNDS = 12;
  private static final int LARGEST = 64 << 20;

  @Test
  void everyPayloadComesBackToTheThreadThatPutIt() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Callable<Long>> workers = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        int worker = i;
        workers.add(() -> work(worker));
      }
      long bytes = 0;
      for (Future<Long> done : threads.invokeAll(workers)) {
        bytes += done.get();
      }
      assertThat(bytes).isGreaterThan(2L * LARGEST);
    } finally {
      threads.shutdown();
    }
    assertThat(memory.leases()).isZero();
    assertThat(connector.waitingOperations()).isZero();
    // The last bytes of an operation may leave after its outcome; nothingIsLeft waits for them.
  }

  /** The bytes that came back. */
  private long work(int worker) {
    Random random = new Random(worker);
    long bytes = 0;
    for (int round = 0; round < ROUNDS; round++) {
      // Two of all are of the largest size, the others of every magnitude below 4 MiB.
      int length =
          round == 0 && worker < 2
              ? LARGEST
              : Math.max(1, random.nextInt(1 << (1 + random.nextInt(22))));
      ChunkKey key = CacheEngineKey.of("w" + worker, 1, 0, round, Samples.key(0).dtype());
      long sum;
      try (KvChunk chunk = random(key, length, random)) {
        sum = checksum(chunk.payload());
        assertThat(connector.sync().put(chunk)).isEqualTo(new PutOutcome.Stored(key, length));
      }
      GetOutcome outcome = connector.sync().get(key);
      assertThat(outcome).isInstanceOf(GetOutcome.Hit.class);
      try (KvChunk chunk = ((GetOutcome.Hit) outcome).chunk()) {
        assertThat(chunk.key()).isEqualTo(key);
        assertThat(chunk.payload().length()).isEqualTo(length);
        assertThat(checksum(chunk.payload())).isEqualTo(sum);
      }
      assertThat(connector.sync().remove(key)).isTrue();
      bytes += length;
    }
    return bytes;
  }

  private KvChunk random(ChunkKey key, int length, Random random) {
    ChunkBuffer lease = Objects.requireNonNull(memory.tryLease(length));
    ByteBuffer bytes = lease.nio();
    byte[] block = new byte[4099];
    random.nextBytes(block);
    while (bytes.hasRemaining()) {
      bytes.put(block, 0, Math.min(block.length, bytes.remaining()));
    }
    return new KvChunk(key, Samples.opaque(length), lease);
  }

  private static long checksum(ChunkBuffer payload) {
    CRC32C crc = new CRC32C();
    crc.update(payload.nio());
    return crc.getValue();
  }
}
