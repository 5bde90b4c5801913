/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.ScanArgs;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.ObjectKey;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.redis.OperationEvent.Kind;
import io.lmcache4j.redis.OperationEvent.Result;
import io.lmcache4j.redis.wire.Accelerator;
import io.lmcache4j.redis.wire.WireMetrics;
import io.netty.util.Timeout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * LMCache's Redis connector.
 *
 * <h2>Layout</h2>
 *
 * <p>Each chunk is two Redis keys, {@code <key>kv_bytes} with the payload and {@code <key>metadata}
 * with a header of 28 bytes or more, as Python LMCache writes and reads them for {@code redis://}
 * and {@code unix://} URLs. The payload is written first and deleted last, so that metadata never
 * promises what is not there.
 *
 * <h2>Threads</h2>
 *
 * <p>Every method may be called from any thread and returns at once, but {@link #open} and {@link
 * #close}, which wait. Outcomes are completed on the event loop that read the reply, or on {@link
 * RedisConnectorOptions.Builder#executor}; what is chained to them must not block the former.
 * {@link #sync()} is the same, waiting.
 *
 * <h2>Memory</h2>
 *
 * <p>Payloads are read into leases of the {@link HostMemory} of the options or of the call, and
 * written from the leases that {@link KvChunk}s hold. A returned stage may be cancelled; neither
 * that nor a timeout means that the socket is done with the bytes, and the connector's own
 * references keep them until it is.
 *
 * <h2>Failing</h2>
 *
 * <p>{@code put} and {@code get} never complete exceptionally: each key has an outcome. The other
 * operations complete with a {@link RedisConnectorException}.
 */
public final class RedisConnector implements AutoCloseable {

  /** Keys asked for in one SCAN step. */
  private static final int SCAN_COUNT = 512;

  /** Lookups sent before their answers are looked at. */
  private static final int LOOKUP_WINDOW = 1024;

  private final RedisConnectorOptions options;
  private final WireMetrics metrics;
  private final Accelerator accelerator;
  private final Topology topology;
  private final Layout layout;
  private final ConnectorCore core;
  private final HostMemory memory;
  private final boolean ownsMemory;
  private final String server;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final CompletableFuture<Void> closed = new CompletableFuture<>();

  private RedisConnector(
      RedisConnectorOptions options,
      HostMemory memory,
      WireMetrics metrics,
      Accelerator accelerator,
      Listening listening,
      Topology topology) {
    this.options = options;
    this.layout = Layout.of(options);
    this.metrics = metrics;
    this.accelerator = accelerator;
    this.topology = topology;
    this.core =
        new ConnectorCore(
            options,
            metrics,
            listening,
            topology,
            topology.timer(),
            topology.lanes(),
            topology.keepsOrder());
    this.memory = memory;
    this.ownsMemory = options.memory() == null;
    this.server = ServerName.ask(topology.control(), options.connectTimeout());
    core.nodes().watch(topology.timer(), core::isClosed);
  }

  /**
   * Connects, with every default.
   *
   * @param url where Redis is; see {@link RemoteUrl}
   * @return the connector, to be closed by the caller
   * @throws RemoteUrlException if the URL cannot be used
   * @throws RedisConnectorException if the server cannot be reached
   */
  public static RedisConnector open(String url) {
    return open(RedisConnectorOptions.of(url));
  }

  /**
   * Connects.
   *
   * @param options how
   * @return the connector, to be closed by the caller
   * @throws RedisConnectorException if the server cannot be reached within the options' time
   */
  public static RedisConnector open(RedisConnectorOptions options) {
    // Before anything is open that would have to be closed if this fails; it takes nothing yet.
    HostMemory given = options.memory();
    HostMemory memory = given == null ? DirectMemory.create(options.memoryCapacity()) : given;
    WireMetrics metrics = new WireMetrics();
    Accelerator accelerator =
        new Accelerator(metrics, options.path() == RedisConnectorOptions.Path.AUTO);
    Listening listening = new Listening(options.listener());
    return new RedisConnector(
        options,
        memory,
        metrics,
        accelerator,
        listening,
        Topology.open(options, accelerator, listening));
  }

  /**
   * Stores a chunk.
   *
   * @param chunk the chunk; stays the caller's, who may close it as soon as this returns
   * @return the outcome
   */
  public CompletionStage<PutOutcome> put(KvChunk chunk) {
    return deliver(startPut(chunk, core.ttlMillis()), o -> {});
  }

  /**
   * Stores a chunk that expires, whatever the options say.
   *
   * @param chunk the chunk; stays the caller's, who may close it as soon as this returns
   * @param ttl time to live, at least one millisecond
   * @return the outcome
   */
  public CompletionStage<PutOutcome> put(KvChunk chunk, Duration ttl) {
    return deliver(startPut(chunk, RedisConnectorOptions.ttlMillis(ttl)), o -> {});
  }

  /**
   * Stores chunks. Each is checked before anything is sent, and each has an outcome of its own: one
   * that is refused or fails touches no other.
   *
   * @param chunks the chunks; they stay the caller's
   * @return the outcomes, in the order of the chunks
   */
  public CompletionStage<List<PutOutcome>> batchedPut(List<KvChunk> chunks) {
    return startPuts(chunks, core.ttlMillis());
  }

  /**
   * Stores chunks that expire, whatever the options say.
   *
   * @param chunks the chunks; they stay the caller's
   * @param ttl time to live, at least one millisecond
   * @return the outcomes, in the order of the chunks
   */
  public CompletionStage<List<PutOutcome>> batchedPut(List<KvChunk> chunks, Duration ttl) {
    return startPuts(chunks, RedisConnectorOptions.ttlMillis(ttl));
  }

  private CompletionStage<List<PutOutcome>> startPuts(List<KvChunk> chunks, long ttlMillis) {
    List<CompletableFuture<PutOutcome>> outcomes = new ArrayList<>(chunks.size());
    for (KvChunk chunk : List.copyOf(chunks)) {
      outcomes.add(startPut(chunk, ttlMillis));
    }
    return deliver(Batch.of(outcomes, o -> {}), o -> {});
  }

  private CompletableFuture<PutOutcome> startPut(KvChunk chunk, long ttlMillis) {
    try {
      return layout.put(core, chunk, ttlMillis).start(chunk.payload().length());
    } catch (LmcacheException e) {
      core.listening().ended(Kind.PUT, Result.FAILED, 0, System.nanoTime());
      return CompletableFuture.completedFuture(new PutOutcome.Failed(chunk.key(), e));
    }
  }

  /**
   * Reads a chunk into the connector's memory.
   *
   * @param key the key
   * @return the outcome; the receiver of a {@link GetOutcome.Hit} closes its chunk
   */
  public CompletionStage<GetOutcome> get(ChunkKey key) {
    return get(key, memory);
  }

  /**
   * Reads a chunk into memory of the caller's choice.
   *
   * @param key the key
   * @param into where the payload is to be leased
   * @return the outcome; the receiver of a {@link GetOutcome.Hit} closes its chunk
   */
  public CompletionStage<GetOutcome> get(ChunkKey key, HostMemory into) {
    return deliver(startGet(key, into), ReadOperation::discard);
  }

  /**
   * Reads chunks into the connector's memory. Each key has an outcome of its own, at its own place:
   * a hole shifts nothing.
   *
   * @param keys the keys
   * @return the outcomes, in the order of the keys; the receiver closes the chunks of the hits
   */
  public CompletionStage<List<GetOutcome>> batchedGet(List<? extends ChunkKey> keys) {
    return batchedGet(keys, memory);
  }

  /**
   * Reads chunks into memory of the caller's choice.
   *
   * @param keys the keys
   * @param into where the payloads are to be leased
   * @return the outcomes, in the order of the keys; the receiver closes the chunks of the hits
   */
  public CompletionStage<List<GetOutcome>> batchedGet(
      List<? extends ChunkKey> keys, HostMemory into) {
    List<CompletableFuture<GetOutcome>> outcomes = new ArrayList<>(keys.size());
    // A copy, because a null further on must not lose what was started before it.
    for (ChunkKey key : List.copyOf(keys)) {
      outcomes.add(startGet(key, into));
    }
    return deliver(
        Batch.of(outcomes, ReadOperation::discard), all -> all.forEach(ReadOperation::discard));
  }

  private CompletableFuture<GetOutcome> startGet(ChunkKey key, HostMemory into) {
    Objects.requireNonNull(into, "into");
    try {
      return layout.get(core, key, into).start(core.expectedBytes());
    } catch (LmcacheException e) {
      core.listening().ended(Kind.GET, Result.FAILED, 0, System.nanoTime());
      return CompletableFuture.completedFuture(new GetOutcome.Failed(key, e));
    }
  }

  /**
   * Looks a chunk up, as LMCache does: by its metadata alone.
   *
   * @param key the key
   * @return whether it is there
   */
  public CompletionStage<Boolean> exists(ChunkKey key) {
    String text = layout.text(key);
    byte[] redisKey = layout.commitKey(text);
    return call(Kind.EXISTS, "exists " + text, List.of(redisKey), c -> c.exists(redisKey))
        .thenApply(n -> n > 0);
  }

  /**
   * Looks up how much of a prefix is there.
   *
   * @param keys the chunks of a prompt in their order
   * @return the number of leading keys that are all there
   */
  public CompletionStage<Integer> batchedContains(List<? extends ChunkKey> keys) {
    List<List<byte[]>> redisKeys = new ArrayList<>(keys.size());
    for (ChunkKey key : keys) {
      redisKeys.add(List.of(layout.commitKey(layout.text(key))));
    }
    return containsFrom(redisKeys, 0);
  }

  /** One entry for each chunk, with all keys that have to be there. */
  private CompletableFuture<Integer> containsFrom(List<List<byte[]>> keys, int from) {
    int to = Math.min(keys.size(), from + LOOKUP_WINDOW);
    if (from == to) {
      return deliver(CompletableFuture.completedFuture(from), n -> {});
    }
    String name = "look up " + keys.size() + " keys";
    List<List<byte[]>> window = keys.subList(from, to);
    List<byte[]> all = window.stream().flatMap(List::stream).toList();
    return call(Kind.LOOKUP, name, all, commands -> lookUp(window, commands))
        .thenCompose(
            found -> {
              int absent = found.indexOf(false);
              return absent < 0
                  ? containsFrom(keys, to)
                  : CompletableFuture.completedFuture(from + absent);
            });
  }

  private static CompletableFuture<List<Boolean>> lookUp(
      List<List<byte[]>> chunks, RedisClusterAsyncCommands<byte[], byte[]> commands) {
    List<CompletableFuture<Boolean>> found = new ArrayList<>(chunks.size());
    for (List<byte[]> keys : chunks) {
      found.add(
          commands
              .exists(keys.toArray(byte[][]::new))
              .toCompletableFuture()
              .thenApply(n -> n == keys.size()));
    }
    return Batch.of(found, n -> {});
  }

  /**
   * Looks up how much of a prefix every worker has. Ranks that disagree, because some of their
   * chunks were evicted, would have a part of the workers wait for what never comes; this is the
   * prefix that all of them can load. One trip for each 1024 chunks.
   *
   * @param keys the chunks of a prompt in their order, of any worker; each names its world size
   * @return the number of leading chunks that are there for all workers of their world
   * @throws IllegalArgumentException if a key is an {@link ObjectKey}: local ranks, which it has as
   *     well, do not follow from the size of the world
   */
  public CompletionStage<Integer> batchedContainsForAllWorkers(List<? extends ChunkKey> keys) {
    List<List<byte[]>> redisKeys = new ArrayList<>(keys.size());
    for (ChunkKey key : keys) {
      if (key instanceof ObjectKey) {
        throw new IllegalArgumentException(
            key + " is an object's: the local ranks of the other workers are not known");
      }
      List<byte[]> ofAllWorkers = new ArrayList<>(key.worldSize());
      for (int worker = 0; worker < key.worldSize(); worker++) {
        ofAllWorkers.add(layout.commitKey(layout.text(key.withWorkerId(worker))));
      }
      redisKeys.add(ofAllWorkers);
    }
    return containsFrom(redisKeys, 0);
  }

  /**
   * Removes a chunk: the metadata first, so that no reader is promised a payload that is about to
   * go.
   *
   * @param key the key
   * @return whether there was anything
   */
  public CompletionStage<Boolean> remove(ChunkKey key) {
    String text = layout.text(key);
    return remove(text, layout.removalOrder(text));
  }

  private CompletableFuture<Boolean> remove(String text, List<byte[]> redisKeys) {
    return call(
        Kind.REMOVE,
        "remove " + text,
        redisKeys,
        commands ->
            topology.keepsOrder()
                ? deleteAll(redisKeys, commands)
                : deleteFrom(redisKeys, 0, commands));
  }

  private static CompletableFuture<Boolean> deleteAll(
      List<byte[]> redisKeys, RedisClusterAsyncCommands<byte[], byte[]> commands) {
    List<CompletableFuture<Long>> deletions = new ArrayList<>();
    for (byte[] redisKey : redisKeys) {
      deletions.add(commands.del(redisKey).toCompletableFuture());
    }
    return Batch.of(deletions, n -> {}).thenApply(counts -> counts.stream().anyMatch(n -> n > 0));
  }

  private static CompletableFuture<Boolean> deleteFrom(
      List<byte[]> redisKeys, int index, RedisClusterAsyncCommands<byte[], byte[]> commands) {
    CompletableFuture<Boolean> deleted =
        commands.del(redisKeys.get(index)).toCompletableFuture().thenApply(n -> n > 0);
    return index + 1 == redisKeys.size()
        ? deleted
        : deleted.thenCompose(
            any -> deleteFrom(redisKeys, index + 1, commands).thenApply(more -> any || more));
  }

  /**
   * Tells what Redis holds under a key without loading the payload: header, lengths, times to live,
   * and what is wrong.
   *
   * @param key the key
   * @return what is there
   */
  public CompletionStage<EntryInfo> inspect(ChunkKey key) {
    String text = layout.text(key);
    return call(
        Kind.INSPECT,
        "inspect " + text,
        layout.removalOrder(text),
        commands -> layout.inspect(core, key, commands));
  }

  /**
   * Lists one page of the chunks that are there, of every model and key grammar.
   *
   * @param cursor {@link KeyPage#END} for the first page, then {@link KeyPage#nextCursor()} of the
   *     page before
   * @return the page
   */
  public CompletionStage<KeyPage> list(String cursor) {
    ScanArgs args = ScanArgs.Builder.limit(SCAN_COUNT).match(layout.scanPattern());
    return call(Kind.LIST, "list keys", List.of(), commands -> topology.scan(cursor, args))
        .thenApply(this::page);
  }

  private KeyPage page(Topology.Scanned scanned) {
    List<ListedKey> keys = new ArrayList<>(scanned.keys().size());
    for (byte[] redisKey : scanned.keys()) {
      String name = layout.textOf(utf8(redisKey));
      if (name != null) {
        // A name that is not UTF-8 would be read as a key of other bytes, which is not there.
        keys.add(new ListedKey(name, isUtf8(redisKey) ? KeyNames.parse(name) : null));
      }
    }
    return new KeyPage(scanned.nextCursor(), keys);
  }

  private static String utf8(byte[] redisKey) {
    return new String(redisKey, StandardCharsets.UTF_8);
  }

  private static boolean isUtf8(byte[] redisKey) {
    return Arrays.equals(utf8(redisKey).getBytes(StandardCharsets.UTF_8), redisKey);
  }

  /**
   * Removes every chunk of a model, of all worlds, workers and key grammars, and halves of chunks
   * that are alone. It walks through the whole key space; what is written meanwhile may stay.
   *
   * @param modelName the model as it stands in keys
   * @return how many chunks there were something of
   */
  public CompletionStage<Long> clear(String modelName) {
    Objects.requireNonNull(modelName, "modelName");
    return clearFrom(modelName, KeyPage.END, 0);
  }

  private CompletableFuture<Long> clearFrom(String modelName, String cursor, long before) {
    ScanArgs args = ScanArgs.Builder.limit(SCAN_COUNT).match(layout.scanPatternOfAll());
    return call(Kind.LIST, "clear " + modelName, List.of(), c -> topology.scan(cursor, args))
        .thenCompose(
            scanned -> {
              List<CompletableFuture<Boolean>> removals = new ArrayList<>();
              for (String text : chunksOf(modelName, scanned.keys())) {
                removals.add(remove(text, layout.removalOrder(text)).toCompletableFuture());
              }
              return Batch.of(removals, removed -> {})
                  .thenCompose(
                      removed -> {
                        long so = before + removed.stream().filter(any -> any).count();
                        return scanned.nextCursor().equals(KeyPage.END)
                            ? CompletableFuture.completedFuture(so)
                            : clearFrom(modelName, scanned.nextCursor(), so);
                      });
            });
  }

  /** The chunks of a model among Redis keys, as they are written there. */
  private Set<String> chunksOf(String modelName, List<byte[]> redisKeys) {
    Set<String> texts = new LinkedHashSet<>();
    for (byte[] redisKey : redisKeys) {
      // A name that is not UTF-8 would be read as a key of other bytes, which is not there.
      String text = isUtf8(redisKey) ? layout.textOfAny(utf8(redisKey)) : null;
      ChunkKey key = text == null ? null : KeyNames.parse(text);
      if (text != null && key != null && key.modelName().equals(modelName)) {
        texts.add(text);
      }
    }
    return texts;
  }

  /**
   * Looks at Redis keys of every layout, for those who examine a cache.
   *
   * @return a view of this connector
   */
  public Survey survey() {
    return new Survey(this, topology, options);
  }

  /**
   * Asks the server for a sign of life.
   *
   * @return the time that took
   */
  public CompletionStage<Duration> ping() {
    long start = System.nanoTime();
    return call(Kind.PING, "ping", List.of(), RedisClusterAsyncCommands::ping)
        .thenApply(pong -> Duration.ofNanos(System.nanoTime() - start));
  }

  /**
   * Tells how this connector is connected.
   *
   * @return the description, without credentials
   */
  public ConnectorInfo info() {
    return new ConnectorInfo(
        options.url().toString(),
        server,
        accelerator.transport(),
        accelerator.isActive() ? "zero-copy" : "copy",
        options.dataConnections(),
        options.inFlightBytes());
  }

  /**
   * Counts payload bytes by how they crossed.
   *
   * @return live counters
   */
  public WireMetrics metrics() {
    return metrics;
  }

  /**
   * Payload bytes in flight, of every get and put whose last byte has not crossed.
   *
   * @return bytes; 0 when nothing is on the wire
   */
  public long inFlightBytes() {
    return core.nodes().inFlightBytes();
  }

  /**
   * Gets and puts that wait for room in the byte budget.
   *
   * @return a count
   */
  public int waitingOperations() {
    return core.nodes().waiting();
  }

  /**
   * Tells how this connector stands with its servers, without asking them.
   *
   * @return what is known now
   */
  public ConnectorHealth health() {
    if (closing.get()) {
      return new ConnectorHealth(ConnectorHealth.Status.CLOSED, List.of());
    }
    List<String> problems = new ArrayList<>();
    if (!topology.isControlOpen()) {
      problems.add("the connection for lookups is down");
    }
    long open = topology.lanes().stream().filter(DataLane::isOpen).count();
    if (open < topology.lanes().size()) {
      problems.add(
          (topology.lanes().size() - open)
              + " of "
              + topology.lanes().size()
              + " data connections are down");
    }
    List<ServerNode> silent = core.nodes().all().stream().filter(ServerNode::isDown).toList();
    for (ServerNode node : silent) {
      problems.add(node + " has not answered for " + node.silence().toMillis() + " ms");
    }
    boolean none = open == 0 || (!silent.isEmpty() && silent.size() == core.nodes().all().size());
    return new ConnectorHealth(
        problems.isEmpty()
            ? ConnectorHealth.Status.UP
            : none ? ConnectorHealth.Status.DOWN : ConnectorHealth.Status.DEGRADED,
        problems);
  }

  /**
   * The memory that payloads are read into.
   *
   * @return the options' memory, or the connector's own
   */
  public HostMemory memory() {
    return memory;
  }

  /**
   * The same operations, waiting for their outcome.
   *
   * @return a view of this connector
   */
  public SyncConnector sync() {
    return new SyncConnector(this);
  }

  /**
   * Sends commands on the control connection; yields their result, or what became of them.
   *
   * @param redisKeys what they are about; none for what is not about keys, and is always sent
   */
  <T> CompletableFuture<T> call(
      Kind kind,
      String name,
      List<byte[]> redisKeys,
      Function<RedisClusterAsyncCommands<byte[], byte[]>, ? extends CompletionStage<T>> commands) {
    if (!core.enterCall()) {
      return deliver(CompletableFuture.failedFuture(new ConnectorClosedException(name)), v -> {});
    }
    long startedAt = System.nanoTime();
    CompletableFuture<T> result = new CompletableFuture<>();
    result.whenComplete(
        (value, failure) -> {
          core.leaveCall();
          core.listening().ended(kind, Listening.resultOf(failure), 0, startedAt);
        });
    ServerNode down = core.nodes().down(redisKeys);
    if (down != null) {
      result.completeExceptionally(down.unavailable(name));
      return deliver(result, v -> {});
    }
    Timeout deadline =
        topology
            .timer()
            .newTimeout(
                t ->
                    result.completeExceptionally(
                        new RequestTimeoutException(name, options.timeout())),
                options.timeout().toMillis(),
                TimeUnit.MILLISECONDS);
    commands
        .apply(topology.control())
        .whenComplete(
            (value, failure) -> {
              deadline.cancel();
              if (failure == null) {
                result.complete(value);
              } else {
                result.completeExceptionally(
                    closing.get()
                        ? new ConnectorClosedException(name)
                        : Failures.lost(name, failure));
              }
            });
    return deliver(result, v -> {});
  }

  /**
   * Hands a result over on the caller's executor, if there is one; what nobody takes is disposed
   * of.
   */
  private <T> CompletableFuture<T> deliver(CompletableFuture<T> result, Consumer<T> dispose) {
    Executor executor = options.executor();
    if (executor == null) {
      return result;
    }
    CompletableFuture<T> delivered = new CompletableFuture<>();
    result.whenComplete(
        (value, failure) -> {
          Runnable handingOver =
              () -> {
                if (failure != null) {
                  delivered.completeExceptionally(failure);
                } else if (!delivered.complete(value)) {
                  dispose.accept(value);
                }
              };
          try {
            executor.execute(handingOver);
          } catch (RejectedExecutionException e) {
            // An executor that was shut down, most likely: the outcome is still somebody's.
            handingOver.run();
          }
        });
    delivered.whenComplete(
        (value, failure) -> {
          if (delivered.isCancelled()) {
            result.cancel(false);
          }
        });
    return delivered;
  }

  /**
   * Closes: refuses what comes, gives what is under way the options' time to end, fails the rest,
   * and closes the connections. Memory that the caller passed in stays open. Idempotent.
   *
   * @return done when everything is closed
   */
  public CompletionStage<Void> closeAsync() {
    if (closing.compareAndSet(false, true)) {
      CompletableFuture<Void> drained = core.drain();
      Timeout deadline =
          topology
              .timer()
              .newTimeout(
                  t -> drained.complete(null),
                  options.closeTimeout().toMillis(),
                  TimeUnit.MILLISECONDS);
      drained.whenComplete(
          (v, e) -> {
            deadline.cancel();
            core.abandonAll();
            topology
                .closeAsync()
                .whenComplete(
                    (v2, e2) -> {
                      if (ownsMemory) {
                        memory.close();
                      }
                      closed.complete(null);
                    });
          });
    }
    return closed;
  }

  /** Closes and waits for it. Not to be called on the event loop. */
  @Override
  public void close() {
    closeAsync().toCompletableFuture().join();
  }

  /** Names the URL, without credentials. */
  @Override
  public String toString() {
    return "RedisConnector[" + options.url() + "]";
  }
}
