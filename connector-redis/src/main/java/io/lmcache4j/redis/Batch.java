/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** Joins the results of a batch in their order. */
final class Batch {

  private Batch() {}

  /**
   * Joins.
   *
   * @param parts one future for each entry
   * @param dispose told of each result that nobody will receive
   * @return all results when the last is there, or the first failure; cancelling it cancels each
   *     part that has not completed
   */
  static <T> CompletableFuture<List<T>> of(
      List<CompletableFuture<T>> parts, Consumer<? super T> dispose) {
    CompletableFuture<List<T>> all = new CompletableFuture<>();
    CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
        .whenComplete(
            (v, failure) -> {
              List<T> results = new ArrayList<>(parts.size());
              for (CompletableFuture<T> part : parts) {
                if (!part.isCompletedExceptionally()) {
                  results.add(part.join());
                }
              }
              boolean received =
                  failure == null ? all.complete(results) : all.completeExceptionally(failure);
              if (failure != null || !received) {
                results.forEach(dispose);
              }
            });
    all.whenComplete(
        (v, e) -> {
          if (all.isCancelled()) {
            parts.forEach(part -> part.cancel(false));
          }
        });
    return all;
  }
}
