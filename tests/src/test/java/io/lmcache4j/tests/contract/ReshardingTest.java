/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.tests.servers.ClusterServers;
import io.lmcache4j.tests.servers.Program;
import io.lmcache4j.tests.servers.RawConnection;
import io.lmcache4j.tests.servers.RawConnection.ErrorReply;
import io.lmcache4j.tests.servers.RawRedis;
import io.lmcache4j.tests.servers.Slots;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Slots move from node to node, there and back, while chunks in them are put and read: commands are
 * redirected for good (MOVED) and for once (ASK), and what was encoded once is sent again. Every
 * outcome is right bytes or a failure that is told. Connectors of both paths take part at once.
 */
final class ReshardingTest {

  private static final int WRITERS = 4;
  private static final int KEYS_OF_EACH = 6;
  private static final int ROUNDS = 3;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** From a few bytes to what takes many reads. */
  private static final int[] LENGTHS = {16, 1000, 70_000, 1 << 20};

  private final ChunkKey[][] keys = new ChunkKey[WRITERS][KEYS_OF_EACH];
  private final AtomicBoolean done = new AtomicBoolean();
  private final AtomicLong hits = new AtomicLong();
  private final AtomicLong stored = new AtomicLong();
  private final AtomicLong failures = new AtomicLong();

  /** Redirects that were not the connectors'. */
  private long movedByMoving;

  @Test
  void nothingIsWrongWhileSlotsMove() throws Exception {
    Set<Integer> slots = new TreeSet<>();
    for (int writer = 0; writer < WRITERS; writer++) {
      for (int i = 0; i < KEYS_OF_EACH; i++) {
        ChunkKey key = Samples.key(100L * writer + i);
        keys[writer][i] = key;
        slots.add(Slots.of(key + "metadata"));
        slots.add(Slots.of(key + "kv_bytes"));
      }
    }
    ExecutorService threads = Executors.newFixedThreadPool(WRITERS);
    try (ClusterServers cluster = ClusterServers.start(Program.of(null), false);
        DirectMemory memory = DirectMemory.create(64 << 20);
        RedisConnector zeroCopy = open(cluster, memory, RedisConnectorOptions.Path.AUTO);
        RedisConnector copying = open(cluster, memory, RedisConnectorOptions.Path.COPY)) {
      List<Future<?>> workers = new ArrayList<>();
      for (int i = 0; i < WRITERS; i++) {
        int writer = i;
        RedisConnector connector = i % 2 == 0 ? zeroCopy : copying;
        workers.add(threads.submit(() -> work(connector, memory, writer)));
      }
      try {
        for (int round = 0; round < ROUNDS; round++) {
          for (int slot : slots) {
            move(cluster, slot);
          }
        }
      } finally {
        done.set(true);
      }
      for (Future<?> worker : workers) {
        worker.get();
      }
      assertThat(hits).hasPositiveValue();
      assertThat(stored).hasPositiveValue();
      // Redirects are followed: a move of a slot is no failure at all.
      assertThat(failures).hasValue(0);
      try (RawRedis raw = cluster.raw()) {
        assertThat(raw.keys()).hasSize(2 * WRITERS * KEYS_OF_EACH);
        assertThat(redirects(raw, "ASK")).isPositive();
        assertThat(redirects(raw, "MOVED")).isGreaterThan(movedByMoving);
      }
      await().atMost(PATIENCE).until(() -> memory.leases() == 0);
      await().atMost(PATIENCE).until(() -> zeroCopy.inFlightBytes() + copying.inFlightBytes() == 0);
    } finally {
      threads.shutdown();
    }
  }

  private static RedisConnector open(
      ClusterServers cluster, DirectMemory memory, RedisConnectorOptions.Path path) {
    return RedisConnector.open(
        RedisConnectorOptions.builder("redis-cluster://" + cluster.hosts())
            .path(path)
            .memory(memory)
            .build());
  }

  /** How often the nodes have answered so. */
  private static long redirects(RawRedis raw, String how) {
    return raw.masters().stream()
        .map(node -> node.field("errorstat_" + how, "INFO", "errorstats"))
        .filter(count -> !count.isEmpty())
        .mapToLong(count -> Long.parseLong(count.replaceFirst("count=(\\d+).*", "$1")))
        .sum();
  }

  /** Puts and reads its own keys; whatever is read has to be what was put last. */
  private void work(RedisConnector connector, DirectMemory memory, int writer) {
    Random random = new Random(writer);
    long[] seeds = new long[KEYS_OF_EACH];
    boolean[] certain = new boolean[KEYS_OF_EACH];
    // At the end every key is there once more.
    for (int i = 0; !done.get() || i % KEYS_OF_EACH != 0; i++) {
      int index = i % KEYS_OF_EACH;
      ChunkKey key = keys[writer][index];
      long seed = random.nextLong();
      int length = LENGTHS[random.nextInt(LENGTHS.length)];
      PutOutcome put;
      try (KvChunk chunk = chunk(memory, key, seed, length)) {
        put = connector.sync().put(chunk);
      }
      certain[index] = put instanceof PutOutcome.Stored;
      seeds[index] = seed;
      (certain[index] ? stored : failures).incrementAndGet();
      int other = random.nextInt(KEYS_OF_EACH);
      check(connector.sync().get(keys[writer][other]), certain[other], seeds[other]);
    }
  }

  private void check(GetOutcome outcome, boolean certain, long seed) {
    if (outcome instanceof GetOutcome.Failed) {
      failures.incrementAndGet();
      return;
    }
    if (!certain) {
      // Not put yet, or a put of which nothing is known: what is there may be older, or not whole.
      if (outcome instanceof GetOutcome.Hit hit) {
        hit.chunk().close();
      }
      return;
    }
    byte[] bytes = Contract.bytesOf(outcome);
    assertThat(bytes).isEqualTo(content(seed, bytes.length));
    hits.incrementAndGet();
  }

  private static KvChunk chunk(DirectMemory memory, ChunkKey key, long seed, int length) {
    ChunkBuffer lease = Objects.requireNonNull(memory.tryLease(length));
    lease.nio().put(content(seed, length));
    return new KvChunk(key, Samples.opaque(length), lease);
  }

  private static byte[] content(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** As {@code redis-cli --cluster reshard} does it: from whom it is with to the next node. */
  private void move(ClusterServers cluster, int slot) {
    List<RawConnection> nodes = new ArrayList<>();
    try {
      for (int i = 0; i < cluster.servers().size(); i++) {
        nodes.add(cluster.node(i));
      }
      int from = owner(nodes, slot);
      int to = (from + 1) % nodes.size();
      nodes.get(to).call("CLUSTER", "SETSLOT", slot, "IMPORTING", id(nodes.get(from)));
      nodes.get(from).call("CLUSTER", "SETSLOT", slot, "MIGRATING", id(nodes.get(to)));
      int port = cluster.servers().get(to).port();
      // What is put meanwhile is put at the new place already, so this comes to an end.
      for (List<?> found = keys(nodes.get(from), slot);
          !found.isEmpty();
          found = keys(nodes.get(from), slot)) {
        for (Object key : found) {
          nodes.get(from).call("MIGRATE", "127.0.0.1", port, key, 0, 5000, "REPLACE");
        }
      }
      String newOwner = id(nodes.get(to));
      nodes.get(to).call("CLUSTER", "SETSLOT", slot, "NODE", newOwner);
      nodes.get(from).call("CLUSTER", "SETSLOT", slot, "NODE", newOwner);
      for (RawConnection node : nodes) {
        node.call("CLUSTER", "SETSLOT", slot, "NODE", newOwner);
      }
    } finally {
      nodes.forEach(RawConnection::close);
    }
  }

  private static String id(RawConnection node) {
    return node.text("CLUSTER", "MYID");
  }

  private static List<?> keys(RawConnection node, int slot) {
    return (List<?>) Objects.requireNonNull(node.call("CLUSTER", "GETKEYSINSLOT", slot, 100));
  }

  /** Whom it is with: the only node that does not send one on. */
  private int owner(List<RawConnection> nodes, int slot) {
    for (int i = 0; i < nodes.size(); i++) {
      try {
        nodes.get(i).call("EXISTS", "{" + keyIn(slot) + "}");
        return i;
      } catch (ErrorReply moved) {
        assertThat(moved).hasMessageStartingWith("MOVED");
        movedByMoving++;
      }
    }
    throw new IllegalStateException("nobody has slot " + slot);
  }

  private static String keyIn(int slot) {
    for (int i = 0; ; i++) {
      if (Slots.of(Integer.toString(i)) == slot) {
        return Integer.toString(i);
      }
    }
  }
}
