/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Joins the results of a batch in their order. */
final class Batch {

  private Batch() {}

  /**
   * Joins.
   *
   * @param parts one future for each entry
   * @return all results when the last is there, or the first failure; cancelling it cancels each
   *     part that has not completed
   */
  static <T> CompletableFuture<List<T>> of(List<CompletableFuture<T>> parts) {
    CompletableFuture<List<T>> all = new CompletableFuture<>();
    CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
        .whenComplete(
            (v, failure) -> {
              if (failure != null) {
                all.completeExceptionally(failure);
                return;
              }
              List<T> results = new ArrayList<>(parts.size());
              for (CompletableFuture<T> part : parts) {
                results.add(part.join());
              }
              all.complete(results);
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
