/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import io.lmcache4j.cli.matrix.MatrixResult.Times;
import io.lmcache4j.cli.matrix.MatrixSettings.Pair;
import io.lmcache4j.cli.matrix.Ranks.Moved;
import io.lmcache4j.core.key.CacheEngineKey;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.reshard.Resharding;
import io.lmcache4j.core.reshard.World;
import io.lmcache4j.core.token.TokenChunk;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import io.lmcache4j.redis.reshard.ReshardOutcome;
import io.lmcache4j.redis.reshard.Resharder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Measures a matrix without GPUs: numbered payloads in the place of what they would compute.
 *
 * <h2>A round of a pair</h2>
 *
 * <ol>
 *   <li>The producer's ranks store the prompt's chunks, each with a connector of its own, as
 *       LMCache's workers have it. Batch by batch, all ranks at once: the time is that of the
 *       batches from the first call to the last outcome, and no payload is computed in it.
 *   <li>The consumer looks up. With another tensor-parallel size it finds nothing.
 *   <li>Where the sizes differ, a connector of its own reshards; before or after that, in turn from
 *       round to round, it copies the same bytes as they are, which is what resharding is held
 *       against. Each is timed from the first call to the last outcome.
 *   <li>The consumer looks up again, several times, of which the median counts; hashing the tokens
 *       is not timed. Its ranks load, batch by batch, likewise.
 *   <li>Every byte that was loaded is compared, outside of the timed parts.
 *   <li>Everything is removed.
 * </ol>
 *
 * <p>One pair is run once before anything counts, for the JIT compiler. Figures are medians of the
 * rounds.
 */
public final class MatrixRun implements AutoCloseable {

  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  /** A lookup takes less than a millisecond, and one alone says little. */
  private static final int LOOKUPS = 9;

  private final MatrixSettings settings;
  private final String url;
  private final @Nullable Duration ttl;
  private final LongConsumer progress;
  private final HostMemory memory;
  private final Ranks ranks;
  private final ExecutorService copying = Executors.newFixedThreadPool(MatrixSettings.AT_ONCE);
  private final RedisConnector connector;

  private MatrixRun(
      MatrixSettings settings, String url, @Nullable Duration ttl, LongConsumer progress) {
    this.settings = settings;
    this.url = url;
    this.ttl = ttl;
    this.progress = progress;
    this.memory = DirectMemory.create(settings.hostBytes());
    this.connector = connect();
    this.ranks = new Ranks(settings, memory, this::connect);
  }

  /**
   * Measures. What was written is removed afterwards.
   *
   * @param settings what
   * @param url the server
   * @param ttl time to live of what is written, should the JVM be killed before it is removed; null
   *     on a server that goes with the JVM
   * @param progress told of bytes as they have crossed, {@link MatrixSettings#movedBytes} in all
   * @return the figures
   * @throws MatrixException if a chunk was lost or came back different, or memory is short
   * @throws io.lmcache4j.core.LmcacheException if the server fails
   * @throws InterruptedException if the caller is interrupted
   */
  public static MatrixResult run(
      MatrixSettings settings, String url, @Nullable Duration ttl, LongConsumer progress)
      throws InterruptedException {
    try (MatrixRun run = new MatrixRun(settings, url, ttl, progress)) {
      return run.measure();
    }
  }

  @Override
  public void close() {
    copying.shutdown();
    ranks.close();
    connector.close();
    memory.close();
  }

  private RedisConnector connect() {
    RedisConnectorOptions.Builder options =
        RedisConnectorOptions.builder(url).memory(memory).timeout(TIMEOUT);
    return RedisConnector.open((ttl == null ? options : options.ttl(ttl)).build());
  }

  private MatrixResult measure() throws InterruptedException {
    round(settings.warmUp(), 0);
    List<MatrixResult.Pair> pairs = new ArrayList<>();
    for (Pair pair : settings.pairs()) {
      List<Round> rounds = new ArrayList<>();
      for (int i = 1; i <= settings.rounds(); i++) {
        rounds.add(round(pair, i));
      }
      pairs.add(summary(pair, rounds));
    }
    KvGeometry model = settings.geometry();
    return new MatrixResult(
        new MatrixResult.Setting(
            "lmcache4j matrix",
            settings.model().modelName(),
            settings.model().parameters(),
            model.layers(),
            settings.model().queryHeads(),
            model.kvHeads(),
            model.headSize(),
            model.dtype().torchName(),
            settings.promptTokens(),
            model.chunkSize(),
            settings.rounds(),
            connector.info().server() + " over " + connector.info().transport(),
            System.getProperty("os.name")
                + " "
                + System.getProperty("os.arch")
                + ", "
                + Runtime.getRuntime().availableProcessors()
                + " processors, Java "
                + System.getProperty("java.version"),
            null),
        pairs);
  }

  private static MatrixResult.Pair summary(Pair pair, List<Round> rounds) {
    Round first = rounds.get(0);
    boolean reshards = pair.reshards();
    return new MatrixResult.Pair(
        pair.prefill(),
        pair.decode(),
        first.hitTokensBefore,
        first.hitTokens,
        first.store.bytes(),
        times(rounds, r -> r.store.nanos()),
        reshards ? first.reshardReadBytes : null,
        reshards ? first.reshardWrittenBytes : null,
        reshards ? times(rounds, r -> r.reshardNanos) : null,
        reshards ? times(rounds, r -> r.copyNanos) : null,
        reshards
            ? MatrixResult.median(
                rounds.stream().mapToDouble(r -> (double) r.reshardNanos / r.copyNanos).toArray())
            : null,
        times(rounds, r -> r.lookupNanos),
        first.load.bytes(),
        times(rounds, r -> r.load.nanos()),
        null,
        null);
  }

  private static Times times(List<Round> rounds, Function<Round, Long> nanos) {
    return Times.ofNanos(rounds.stream().mapToLong(nanos::apply).toArray());
  }

  private Round round(Pair pair, int number) throws InterruptedException {
    World from = settings.world(pair.prefill());
    World to = settings.world(pair.decode());
    NumberedPayload payload =
        new NumberedPayload(settings.geometry(), settings.promptTokens(), number);
    List<ChunkKey> written = new ArrayList<>(settings.keys(from));
    List<ChunkKey> copies = written.stream().map(PlainCopy::copyOf).toList();
    written.addAll(settings.keys(to));
    Round round = new Round();
    try {
      // What a run that was killed has left would not be stored anew.
      remove(written);
      round.store = told(ranks.store(from, payload));
      round.hitTokensBefore = hitTokens(settings.chunks(to));
      if (pair.reshards()) {
        if (round.hitTokensBefore != 0) {
          throw new MatrixException(
              pair
                  + ": "
                  + round.hitTokensBefore
                  + " tokens were found before they were resharded; somebody else writes them");
        }
        boolean copyFirst = number % 2 == 0;
        if (copyFirst) {
          copy(from, copies, round);
        }
        reshard(from, to, round);
        if (!copyFirst) {
          copy(from, copies, round);
        }
      }
      lookUp(to, round);
      round.load = told(ranks.load(to, payload));
      return round;
    } finally {
      remove(written);
      remove(copies);
    }
  }

  private Moved told(Moved moved) {
    progress.accept(moved.bytes());
    return moved;
  }

  private void remove(List<ChunkKey> keys) {
    Outcomes.join(keys.stream().map(connector::remove).toList());
  }

  private void lookUp(World world, Round round) {
    List<TokenChunk> chunks = settings.chunks(world);
    long[] nanos = new long[LOOKUPS];
    for (int i = 0; i < LOOKUPS; i++) {
      long start = System.nanoTime();
      round.hitTokens = hitTokens(chunks);
      nanos[i] = System.nanoTime() - start;
    }
    Arrays.sort(nanos);
    round.lookupNanos = nanos[LOOKUPS / 2];
    int wanted = chunks.get(chunks.size() - 1).end();
    if (round.hitTokens != wanted) {
      throw new MatrixException(
          "world of " + world.size() + ": " + round.hitTokens + " tokens found of " + wanted);
    }
  }

  /** Tokens of the prefix that every worker has. */
  private int hitTokens(List<TokenChunk> chunks) {
    List<CacheEngineKey> keys = chunks.stream().map(TokenChunk::key).toList();
    int hits = connector.sync().batchedContainsForAllWorkers(keys);
    return hits == 0 ? 0 : chunks.get(hits - 1).end();
  }

  private void reshard(World from, World to, Round round) throws InterruptedException {
    List<ChunkKey> chunks = new ArrayList<>();
    settings.chunks(from).forEach(chunk -> chunks.add(chunk.key()));
    Resharder resharder = new Resharder(connector, Resharding.between(from, to), copying);
    List<ReshardOutcome> outcomes = new ArrayList<>();
    long start = System.nanoTime();
    resharder.reshardAll(chunks.iterator(), MatrixSettings.AT_ONCE, outcomes::add);
    round.reshardNanos = System.nanoTime() - start;
    for (ReshardOutcome outcome : outcomes) {
      ReshardOutcome.Written written = Outcomes.written(outcome);
      round.reshardReadBytes += written.readBytes();
      round.reshardWrittenBytes += written.writtenBytes();
    }
    progress.accept(round.reshardReadBytes + round.reshardWrittenBytes);
  }

  private void copy(World world, List<ChunkKey> copies, Round round) throws InterruptedException {
    List<ChunkKey> keys = settings.keys(world);
    List<List<ChunkKey>> chunks = new ArrayList<>();
    for (int i = 0; i < keys.size(); i += world.size()) {
      chunks.add(keys.subList(i, i + world.size()));
    }
    long start = System.nanoTime();
    new PlainCopy(connector).copyAll(chunks, MatrixSettings.AT_ONCE);
    round.copyNanos = System.nanoTime() - start;
    progress.accept(2 * settings.bytes(world));
    remove(copies);
  }

  /** Figures of one round, as they come. */
  private static final class Round {

    private int hitTokensBefore;
    private int hitTokens;
    private Moved store = Moved.NOTHING;
    private long reshardReadBytes;
    private long reshardWrittenBytes;
    private long reshardNanos;
    private long copyNanos;
    private long lookupNanos;
    private Moved load = Moved.NOTHING;
  }
}
