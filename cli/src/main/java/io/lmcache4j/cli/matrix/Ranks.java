/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.reshard.World;
import io.lmcache4j.core.token.TokenChunk;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The ranks of producers and consumers. Each has a connector of its own, as LMCache's workers have
 * it; their payloads lie in one memory, so that they take turns, batch by batch, and all ranks are
 * busy with the same chunks.
 */
final class Ranks implements AutoCloseable {

  private final MatrixSettings settings;
  private final HostMemory memory;
  private final Supplier<RedisConnector> connecting;
  private final List<RedisConnector> connectors = new ArrayList<>();

  Ranks(MatrixSettings settings, HostMemory memory, Supplier<RedisConnector> connecting) {
    this.settings = settings;
    this.memory = memory;
    this.connecting = connecting;
  }

  @Override
  public void close() {
    connectors.forEach(RedisConnector::close);
  }

  private RedisConnector rank(int rank) {
    while (connectors.size() <= rank) {
      connectors.add(connecting.get());
    }
    return connectors.get(rank);
  }

  private List<List<TokenChunk>> batches(World world) {
    List<TokenChunk> chunks = settings.chunks(world);
    int size = settings.batch(world);
    List<List<TokenChunk>> batches = new ArrayList<>();
    for (int from = 0; from < chunks.size(); from += size) {
      batches.add(chunks.subList(from, Math.min(chunks.size(), from + size)));
    }
    return batches;
  }

  /** Stores the prompt's chunks as all ranks of a world would; computing them is not timed. */
  Moved store(World world, NumberedPayload payload) {
    Moved moved = Moved.NOTHING;
    for (List<TokenChunk> batch : batches(world)) {
      List<KvChunk> leased = new ArrayList<>();
      try {
        List<List<KvChunk>> ofRanks = new ArrayList<>();
        for (int rank = 0; rank < world.size(); rank++) {
          List<KvChunk> chunks = new ArrayList<>();
          for (TokenChunk chunk : batch) {
            chunks.add(lease(world, rank, chunk));
            leased.add(chunks.get(chunks.size() - 1));
          }
          ofRanks.add(chunks);
          // Connected before the clock runs.
          rank(rank);
        }
        each(
            world,
            batch,
            (rank, i) ->
                payload.fill(
                    world.size(), rank, batch.get(i), ofRanks.get(rank).get(i).payload().nio()));
        long start = System.nanoTime();
        List<CompletionStage<List<PutOutcome>>> puts = new ArrayList<>();
        for (int rank = 0; rank < world.size(); rank++) {
          puts.add(rank(rank).batchedPut(ofRanks.get(rank)));
        }
        List<List<PutOutcome>> stored = Outcomes.join(puts);
        long nanos = System.nanoTime() - start;
        long bytes = stored.stream().flatMap(List::stream).mapToLong(Outcomes::stored).sum();
        moved = moved.and(bytes, nanos);
      } finally {
        leased.forEach(KvChunk::close);
      }
    }
    return moved;
  }

  private KvChunk lease(World world, int rank, TokenChunk chunk) {
    KvGeometry geometry = world.geometry(rank);
    RemoteMetadata metadata =
        RemoteMetadata.of(
            geometry.chunkFormat(),
            geometry.chunkShape(chunk.end() - chunk.start()),
            geometry.dtype());
    ChunkBuffer lease = memory.tryLease((int) metadata.length());
    if (lease == null) {
      throw new MatrixException(
          "no memory for the "
              + metadata.length()
              + " bytes of a chunk: "
              + memory.leasedBytes()
              + " of "
              + memory.capacityBytes()
              + " are leased");
    }
    return new KvChunk(chunk.key().withWorkerId(rank), metadata, lease);
  }

  /**
   * Loads the prompt's chunks as all ranks of a world would, and compares every byte, which is not
   * timed.
   */
  Moved load(World world, NumberedPayload payload) {
    Moved moved = Moved.NOTHING;
    for (List<TokenChunk> batch : batches(world)) {
      List<List<ChunkKey>> keys = new ArrayList<>();
      for (int rank = 0; rank < world.size(); rank++) {
        int worker = rank;
        rank(rank);
        keys.add(batch.stream().<ChunkKey>map(chunk -> chunk.key().withWorkerId(worker)).toList());
      }
      long start = System.nanoTime();
      List<CompletionStage<List<GetOutcome>>> gets = new ArrayList<>();
      for (int rank = 0; rank < world.size(); rank++) {
        gets.add(rank(rank).batchedGet(keys.get(rank)));
      }
      List<List<GetOutcome>> found = Outcomes.join(gets);
      long nanos = System.nanoTime() - start;
      try {
        each(
            world,
            batch,
            (rank, i) -> {
              KvChunk chunk = Outcomes.hit(found.get(rank).get(i));
              payload.check(world.size(), rank, batch.get(i), chunk.key(), chunk.payload().nio());
            });
        long bytes =
            found.stream()
                .flatMap(List::stream)
                .mapToLong(outcome -> Outcomes.hit(outcome).payload().length())
                .sum();
        moved = moved.and(bytes, nanos);
      } finally {
        found.forEach(Outcomes::close);
      }
    }
    return moved;
  }

  /** Runs something for each rank's part of each chunk of a batch, on all processors. */
  private static void each(World world, List<TokenChunk> batch, PartAction action) {
    IntStream.range(0, world.size() * batch.size())
        .parallel()
        .forEach(i -> action.accept(i / batch.size(), i % batch.size()));
  }

  private interface PartAction {
    void accept(int rank, int indexInBatch);
  }

  /** What crossed, and how long that took. */
  record Moved(long bytes, long nanos) {

    static final Moved NOTHING = new Moved(0, 0);

    Moved and(long moreBytes, long moreNanos) {
      return new Moved(bytes + moreBytes, nanos + moreNanos);
    }
  }
}
