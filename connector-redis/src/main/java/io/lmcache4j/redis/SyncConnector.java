/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.HostMemory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * The operations of a {@link RedisConnector}, each waiting for its outcome. It never waits longer
 * than the options' timeout for one answer, and must not be used on the connector's event loop.
 *
 * <p>Where the connector's stage would complete exceptionally, the {@link RedisConnectorException}
 * itself is thrown.
 */
public final class SyncConnector {

  private final RedisConnector async;

  SyncConnector(RedisConnector async) {
    this.async = async;
  }

  /**
   * See {@link RedisConnector#put(KvChunk)}.
   *
   * @param chunk the chunk; stays the caller's
   * @return the outcome
   */
  public PutOutcome put(KvChunk chunk) {
    return await(async.put(chunk));
  }

  /**
   * See {@link RedisConnector#put(KvChunk, Duration)}.
   *
   * @param chunk the chunk; stays the caller's
   * @param ttl time to live, at least one millisecond
   * @return the outcome
   */
  public PutOutcome put(KvChunk chunk, Duration ttl) {
    return await(async.put(chunk, ttl));
  }

  /**
   * See {@link RedisConnector#batchedPut(List, Duration)}.
   *
   * @param chunks the chunks; they stay the caller's
   * @param ttl time to live, at least one millisecond
   * @return the outcomes, in the order of the chunks
   */
  public List<PutOutcome> batchedPut(List<KvChunk> chunks, Duration ttl) {
    return await(async.batchedPut(chunks, ttl));
  }

  /**
   * See {@link RedisConnector#batchedPut(List)}.
   *
   * @param chunks the chunks; they stay the caller's
   * @return the outcomes, in the order of the chunks
   */
  public List<PutOutcome> batchedPut(List<KvChunk> chunks) {
    return await(async.batchedPut(chunks));
  }

  /**
   * See {@link RedisConnector#get(ChunkKey)}.
   *
   * @param key the key
   * @return the outcome; the receiver closes the chunk of a hit
   */
  public GetOutcome get(ChunkKey key) {
    return await(async.get(key));
  }

  /**
   * See {@link RedisConnector#get(ChunkKey, HostMemory)}.
   *
   * @param key the key
   * @param into where the payload is to be leased
   * @return the outcome; the receiver closes the chunk of a hit
   */
  public GetOutcome get(ChunkKey key, HostMemory into) {
    return await(async.get(key, into));
  }

  /**
   * See {@link RedisConnector#batchedGet(List)}.
   *
   * @param keys the keys
   * @return the outcomes, in the order of the keys; the receiver closes the chunks of the hits
   */
  public List<GetOutcome> batchedGet(List<? extends ChunkKey> keys) {
    return await(async.batchedGet(keys));
  }

  /**
   * See {@link RedisConnector#batchedGet(List, HostMemory)}.
   *
   * @param keys the keys
   * @param into where the payloads are to be leased
   * @return the outcomes, in the order of the keys; the receiver closes the chunks of the hits
   */
  public List<GetOutcome> batchedGet(List<? extends ChunkKey> keys, HostMemory into) {
    return await(async.batchedGet(keys, into));
  }

  /**
   * See {@link RedisConnector#exists}.
   *
   * @param key the key
   * @return whether it is there
   */
  public boolean exists(ChunkKey key) {
    return await(async.exists(key));
  }

  /**
   * See {@link RedisConnector#batchedContains}.
   *
   * @param keys the chunks of a prompt in their order
   * @return the number of leading keys that are all there
   */
  public int batchedContains(List<? extends ChunkKey> keys) {
    return await(async.batchedContains(keys));
  }

  /**
   * See {@link RedisConnector#batchedContainsForAllWorkers}.
   *
   * @param keys the chunks of a prompt in their order
   * @return the number of leading chunks that are there for all workers of their world
   */
  public int batchedContainsForAllWorkers(List<? extends ChunkKey> keys) {
    return await(async.batchedContainsForAllWorkers(keys));
  }

  /**
   * See {@link RedisConnector#clear}. Each step has the options' timeout; all of them may take
   * longer.
   *
   * @param modelName the model as it stands in keys
   * @return how many chunks there were something of
   */
  public long clear(String modelName) {
    return await(async.clear(modelName));
  }

  /**
   * See {@link RedisConnector#remove}.
   *
   * @param key the key
   * @return whether there was anything
   */
  public boolean remove(ChunkKey key) {
    return await(async.remove(key));
  }

  /**
   * See {@link RedisConnector#inspect}.
   *
   * @param key the key
   * @return what is there
   */
  public EntryInfo inspect(ChunkKey key) {
    return await(async.inspect(key));
  }

  /**
   * Lists the chunks that are there, page by page as the stream is consumed. A key may come twice,
   * as with {@code SCAN}.
   *
   * @return a lazy, ordered stream that holds nothing open
   */
  public Stream<ListedKey> list() {
    return StreamSupport.stream(
        Spliterators.spliteratorUnknownSize(
            new Listing(), Spliterator.ORDERED | Spliterator.NONNULL),
        false);
  }

  /**
   * See {@link RedisConnector#ping}.
   *
   * @return the round-trip time
   */
  public Duration ping() {
    return await(async.ping());
  }

  /**
   * Waits for what a connector was asked. Not to be called on its event loop.
   *
   * @param stage as a connector returned it
   * @param <T> type of the result
   * @return the result
   * @throws RuntimeException what the stage failed of, and not what futures wrap around it
   */
  public static <T> T await(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  private final class Listing implements Iterator<ListedKey> {

    private final Deque<ListedKey> page = new ArrayDeque<>();
    private @Nullable String cursor = KeyPage.END;

    @Override
    public boolean hasNext() {
      while (page.isEmpty() && cursor != null) {
        KeyPage next = await(async.list(cursor));
        page.addAll(next.keys());
        cursor = next.isLast() ? null : next.nextCursor();
      }
      return !page.isEmpty();
    }

    @Override
    public ListedKey next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return page.remove();
    }
  }
}
