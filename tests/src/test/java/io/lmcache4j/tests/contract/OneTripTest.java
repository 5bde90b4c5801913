/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.tests.servers.RawRedis;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each operation takes one trip: the server hears nothing before it could hear everything. Who
 * waited for the first answer before asking on would wait for ever here, and time out.
 */
final class OneTripTest {

  private static final ChunkKey KEY = Samples.key(0x77);

  @ParameterizedTest
  @EnumSource
  void everyOperationIsSentWhole(RedisConnectorOptions.Path path) throws Exception {
    TestServer server = Servers.local();
    try (HoldingProxy proxy = new HoldingProxy(server);
        DirectMemory memory = DirectMemory.create(1 << 20);
        RawRedis raw = server.raw();
        RedisConnector connector =
            RedisConnector.open(
                RedisConnectorOptions.builder(proxy.url()).path(path).memory(memory).build())) {
      raw.call("FLUSHALL");
      try (KvChunk chunk =
          new KvChunk(
              KEY, Samples.METADATA, Objects.requireNonNull(memory.tryLease(Samples.BYTES)))) {
        proxy.holdUntil("SET.*kv_bytes.*SET.*metadata");
        assertThat(connector.sync().put(chunk)).isInstanceOf(PutOutcome.Stored.class);
      }
      proxy.holdUntil("GET.*metadata.*GET.*kv_bytes");
      GetOutcome outcome = connector.sync().get(KEY);
      assertThat(Contract.bytesOf(outcome)).hasSize(Samples.BYTES);
      List<ChunkKey> keys =
          LongStream.range(0, 20).mapToObj(i -> (ChunkKey) Samples.key(i)).toList();
      proxy.holdUntil("EXISTS.*" + Pattern.quote(keys.get(19) + "metadata"));
      assertThat(connector.sync().batchedContains(keys)).isZero();
      proxy.holdUntil("STRLEN.*GETRANGE");
      assertThat(connector.sync().inspect(KEY).problems()).isEmpty();
      proxy.holdUntil("DEL.*metadata.*DEL.*kv_bytes");
      assertThat(connector.sync().remove(KEY)).isTrue();
      assertThat(proxy.released()).isEqualTo(5);
    }
  }
}
