/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.store.ChunkStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** A store into a map, whose answers can be held back and whose requests can fail. */
final class MapStore implements ChunkStore {

  @SuppressWarnings("ArrayRecordComponent")
  record Entry(RemoteMetadata metadata, byte[] payload) {}

  final Map<ChunkKey, Entry> entries = new ConcurrentHashMap<>();
  final Map<ChunkKey, Throwable> failures = new ConcurrentHashMap<>();
  final Map<ChunkKey, Fetched> answers = new ConcurrentHashMap<>();
  final List<ChunkKey> asked = Collections.synchronizedList(new ArrayList<>());

  /** Answers that wait for {@link #answerAll}; null while answers come at once. */
  final List<Runnable> held = Collections.synchronizedList(new ArrayList<>());

  volatile boolean hold;

  void answerAll() {
    hold = false;
    List<Runnable> now;
    synchronized (held) {
      now = List.copyOf(held);
      held.clear();
    }
    now.forEach(Runnable::run);
  }

  private void answer(Runnable answer) {
    if (hold) {
      held.add(answer);
    } else {
      answer.run();
    }
  }

  @Override
  public CompletionStage<Void> put(ChunkKey key, RemoteMetadata metadata, ChunkBuffer payload) {
    asked.add(key);
    CompletableFuture<Void> done = new CompletableFuture<>();
    ChunkBuffer mine = payload.retain();
    answer(
        () -> {
          Throwable failure = failures.get(key);
          if (failure == null) {
            byte[] bytes = new byte[mine.length()];
            mine.nio().get(bytes);
            entries.put(key, new Entry(metadata, bytes));
          }
          mine.release();
          if (failure == null) {
            done.complete(null);
          } else {
            done.completeExceptionally(failure);
          }
        });
    return done;
  }

  @Override
  public CompletionStage<Fetched> get(ChunkKey key, HostMemory into) {
    asked.add(key);
    CompletableFuture<Fetched> done = new CompletableFuture<>();
    answer(
        () -> {
          Throwable failure = failures.get(key);
          if (failure != null) {
            done.completeExceptionally(failure);
            return;
          }
          Fetched found = find(key, into);
          if (!done.complete(found) && found instanceof Fetched.Hit hit) {
            hit.payload().release();
          }
        });
    return done;
  }

  private Fetched find(ChunkKey key, HostMemory into) {
    Fetched fixed = answers.get(key);
    if (fixed != null) {
      return fixed;
    }
    Entry entry = entries.get(key);
    if (entry == null) {
      return new Fetched.Miss();
    }
    ChunkBuffer lease = into.tryLease(entry.payload.length);
    if (lease == null) {
      return new Fetched.NoMemory(entry.payload.length);
    }
    lease.nio().put(entry.payload);
    return new Fetched.Hit(entry.metadata, lease);
  }
}
