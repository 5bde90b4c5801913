/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.tests.servers.RawRedis;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;

/**
 * What every test starts from and ends with: a connector, a raw client and an empty database; and
 * in the end no byte in flight and no lease out. Subclasses say for which {@link Variant}s they
 * run, and for those of one layout there are {@link ConnectorContract} and {@link
 * SingleKeyContract}.
 */
@ParameterizedClass(name = "{0}")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(Ran.class)
// NullAway does not know of what runs before an invocation of a parameterised class.
@SuppressWarnings("NullAway.Init")
abstract class Contract {

  private static final long CAPACITY = 1L << 30;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  @Parameter Variant variant;

  private final List<RedisConnector> opened = new ArrayList<>();
  DirectMemory memory;
  RedisConnector connector;
  RawRedis raw;

  @BeforeParameterizedClassInvocation
  void connect() {
    raw = variant.server().raw();
    memory = DirectMemory.create(CAPACITY);
    connector = RedisConnector.open(options().build());
    assertThat(connector.info().path())
        .isEqualTo(variant.path() == RedisConnectorOptions.Path.AUTO ? "zero-copy" : "copy");
  }

  @BeforeEach
  void empty() {
    raw.call("FLUSHALL");
  }

  @AfterEach
  void nothingIsLeft() {
    for (RedisConnector each : opened) {
      soon(() -> each.inFlightBytes() == 0);
      each.close();
    }
    opened.clear();
    soon(() -> connector.inFlightBytes() == 0);
    soon(() -> memory.leases() == 0);
  }

  @AfterParameterizedClassInvocation
  void disconnect() {
    connector.close();
    memory.close();
    raw.close();
  }

  /** Awaitility looks for the first time after 100 ms, which is as long as most tests are. */
  private static void soon(Callable<Boolean> condition) {
    await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(5))
        .atMost(PATIENCE)
        .until(condition);
  }

  private RedisConnectorOptions.Builder options() {
    return RedisConnectorOptions.builder(variant.url()).path(variant.path()).memory(memory);
  }

  /** Opens a further connector on the test's own memory, which is closed after the test. */
  final RedisConnector open(UnaryOperator<RedisConnectorOptions.Builder> change) {
    RedisConnector another = RedisConnector.open(change.apply(options()).build());
    opened.add(another);
    return another;
  }

  /** Leases a chunk and fills it. */
  final KvChunk chunk(ChunkKey key, RemoteMetadata metadata, byte[] payload) {
    ChunkBuffer lease = memory.tryLease(payload.length);
    if (lease == null) {
      throw new IllegalStateException("no memory for " + payload.length + " bytes");
    }
    lease.nio().put(payload);
    return new KvChunk(key, metadata, lease);
  }

  final PutOutcome put(RedisConnector with, ChunkKey key, RemoteMetadata metadata, byte[] bytes) {
    try (KvChunk chunk = chunk(key, metadata, bytes)) {
      return with.sync().put(chunk);
    }
  }

  final PutOutcome put(ChunkKey key, RemoteMetadata metadata, byte[] payload) {
    return put(connector, key, metadata, payload);
  }

  /** Stores a chunk of the usual kind, which has to succeed. */
  final void stored(ChunkKey key) {
    assertThat(put(key, Samples.METADATA, Samples.payload()))
        .isEqualTo(new PutOutcome.Stored(key, Samples.BYTES));
  }

  final GetOutcome get(ChunkKey key) {
    return connector.sync().get(key);
  }

  /** The payload of a hit, whose chunk is closed. */
  static byte[] bytesOf(GetOutcome outcome) {
    assertThat(outcome).isInstanceOf(GetOutcome.Hit.class);
    try (KvChunk chunk = ((GetOutcome.Hit) outcome).chunk()) {
      byte[] bytes = new byte[chunk.payload().length()];
      chunk.payload().nio().get(bytes);
      return bytes;
    }
  }

  static String reasonOf(GetOutcome outcome) {
    assertThat(outcome).isInstanceOf(GetOutcome.Corrupt.class);
    return ((GetOutcome.Corrupt) outcome).reason();
  }

  static String failureOf(GetOutcome outcome) {
    assertThat(outcome).isInstanceOf(GetOutcome.Failed.class);
    return String.valueOf(((GetOutcome.Failed) outcome).cause().getMessage());
  }

  static String failureOf(PutOutcome outcome) {
    assertThat(outcome).isInstanceOf(PutOutcome.Failed.class);
    return String.valueOf(((PutOutcome.Failed) outcome).cause().getMessage());
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
