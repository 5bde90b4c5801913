/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** Waiting for answers. */
final class Answers {

  private Answers() {}

  /** The answer, or the exception that came instead and not the one around it. */
  static <T> T await(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }
}
