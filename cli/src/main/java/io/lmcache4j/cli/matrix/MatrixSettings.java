/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.model.KnownModel;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.reshard.World;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.TokenChunk;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * What is to be measured.
 *
 * @param model whose prompt
 * @param prefill tensor-parallel sizes of the producers
 * @param decode tensor-parallel sizes of the consumers
 * @param promptTokens tokens of the prompt
 * @param chunkTokens LMCache's {@code chunk_size}
 * @param saveUnfullChunk LMCache's {@code save_unfull_chunk}: whether a short chunk at the end is
 *     stored
 * @param rounds how often each pair is measured
 */
public record MatrixSettings(
    KnownModel model,
    List<Integer> prefill,
    List<Integer> decode,
    int promptTokens,
    int chunkTokens,
    boolean saveUnfullChunk,
    int rounds) {

  /** Chunks that are resharded, or copied, at one time. */
  static final int AT_ONCE = 2;

  /** What the ranks of a world together have in host memory at one time, if a chunk is no more. */
  private static final long BATCH_BYTES = 256L << 20;

  /** What a server holds of a batch beside its values: replies and query buffers. */
  private static final int BATCHES_IN_FLIGHT = 2;

  private static final long SEED = 20_260_112;

  /**
   * Takes copies of the lists, each size once, and checks the limits.
   *
   * @throws IllegalArgumentException if a limit is exceeded
   */
  public MatrixSettings {
    prefill = prefill.stream().distinct().toList();
    decode = decode.stream().distinct().toList();
    if (prefill.isEmpty() || decode.isEmpty()) {
      throw new IllegalArgumentException("no tensor-parallel size of producers, or of consumers");
    }
    if (rounds < 1) {
      throw new IllegalArgumentException("rounds are " + rounds + ", allowed: 1 or more");
    }
    KvGeometry geometry = model.geometry().withChunkSize(chunkTokens);
    if (storedTokens(promptTokens, chunkTokens, saveUnfullChunk) < 1) {
      throw new IllegalArgumentException(
          "a prompt of "
              + promptTokens
              + " tokens has no chunk of "
              + chunkTokens
              + (promptTokens < 1 ? "" : ", and a short one is not stored"));
    }
    Stream.concat(prefill.stream(), decode.stream()).forEach(size -> World.of(geometry, size));
    if (geometry.bytesPerChunk() > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "a chunk of " + chunkTokens + " tokens has " + geometry.bytesPerChunk() + " bytes");
    }
  }

  KvGeometry geometry() {
    return model.geometry().withChunkSize(chunkTokens);
  }

  World world(int tensorParallelSize) {
    return World.of(geometry(), tensorParallelSize);
  }

  /** The chunks that are stored of the prompt, with worker 0's keys. */
  List<TokenChunk> chunks(World world) {
    ChunkedTokenDatabase database =
        ChunkedTokenDatabase.builder()
            .modelName(model.modelName())
            .dtype(geometry().dtype())
            .worldSize(world.size())
            .chunkSize(chunkTokens)
            .saveUnfullChunk(saveUnfullChunk)
            .noneHash(NoneHash.zero())
            .build();
    return database.processTokens(
        new SplittableRandom(SEED).longs(promptTokens, 0, model.vocabularySize()).toArray());
  }

  /** The keys of all workers, chunk by chunk. */
  List<ChunkKey> keys(World world) {
    return chunks(world).stream()
        .flatMap(
            chunk ->
                Stream.iterate(0, worker -> worker < world.size(), worker -> worker + 1)
                    .<ChunkKey>map(chunk.key()::withWorkerId))
        .toList();
  }

  private static int storedTokens(int promptTokens, int chunkTokens, boolean saveUnfullChunk) {
    return saveUnfullChunk ? promptTokens : promptTokens - promptTokens % chunkTokens;
  }

  private int storedTokens() {
    return storedTokens(promptTokens, chunkTokens, saveUnfullChunk);
  }

  /** Bytes of all workers' chunks of the prompt. */
  long bytes(World world) {
    return storedTokens() * bytesPerToken(world);
  }

  private static long bytesPerToken(World world) {
    return world.size() * world.geometry(0).bytesPerToken();
  }

  /** Chunks that all workers of a world together put or get at one time. */
  int batch(World world) {
    return (int) atMost(Math.max(1, BATCH_BYTES / (bytesPerToken(world) * chunkTokens)));
  }

  private Stream<World> worlds() {
    return Stream.concat(prefill.stream(), decode.stream()).distinct().map(this::world);
  }

  /**
   * What may be leased here. Twice what is: a slab may end in a piece that is too small for a
   * chunk.
   *
   * @return bytes, the most that this process takes beside its heap
   */
  public long hostBytes() {
    return 2 * batchBytes();
  }

  /** What is in host memory at one time; resharding holds the sources and targets of a chunk. */
  private long batchBytes() {
    return worlds()
        .mapToLong(
            world ->
                Math.max(batch(world), 2 * atMost(AT_ONCE)) * bytesPerToken(world) * chunkTokens)
        .max()
        .orElseThrow();
  }

  private long atMost(long chunks) {
    return Math.min(chunks, geometry().chunksFor(storedTokens()));
  }

  /**
   * What the server takes at most: what producers have stored, what consumers need or a copy of the
   * former, and what is under way.
   *
   * @return bytes
   */
  public long serverBytes() {
    return storedTokens() * serverBytesPerToken() + BATCHES_IN_FLIGHT * batchBytes();
  }

  private long serverBytesPerToken() {
    long produced = most(prefill);
    return produced + Math.max(produced, most(decode));
  }

  private long most(List<Integer> sizes) {
    return sizes.stream().mapToLong(size -> bytesPerToken(world(size))).max().orElseThrow();
  }

  /**
   * The longest prompt for which memory is enough, if the server is on this machine.
   *
   * @param freeBytes memory that is free
   * @return tokens, in whole chunks; 0 if there is none
   */
  public long longestPrompt(long freeBytes) {
    long stored = freeBytes - hostBytes() - BATCHES_IN_FLIGHT * batchBytes();
    long tokens = Math.max(0, stored / serverBytesPerToken());
    return tokens - tokens % chunkTokens;
  }

  /** Every producer with every consumer. */
  List<Pair> pairs() {
    return prefill.stream().flatMap(from -> decode.stream().map(to -> new Pair(from, to))).toList();
  }

  /** The pair that is run once before anything counts: one that uses everything, if there is. */
  Pair warmUp() {
    return pairs().stream().filter(Pair::reshards).findFirst().orElse(pairs().get(0));
  }

  /**
   * What {@link MatrixRun#run} moves.
   *
   * @return bytes, there and back
   */
  public long movedBytes() {
    return movedBytes(warmUp()) + rounds * pairs().stream().mapToLong(this::movedBytes).sum();
  }

  private long movedBytes(Pair pair) {
    long stored = bytes(world(pair.prefill));
    long loaded = bytes(world(pair.decode));
    // A copy reads and writes what was stored; resharding reads each head once.
    return stored + loaded + (pair.reshards() ? 2 * stored + bytes(world(1)) + loaded : 0);
  }

  /** Tensor-parallel sizes of a producer and of a consumer. */
  record Pair(int prefill, int decode) {

    boolean reshards() {
      return prefill != decode;
    }
  }
}
