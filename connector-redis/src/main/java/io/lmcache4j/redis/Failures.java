/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.RedisCommandExecutionException;
import io.lmcache4j.core.LmcacheException;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** Turns what Lettuce reports into this library's exceptions. */
final class Failures {

  private Failures() {}

  /** The server answered with an error. */
  static LmcacheException refused(String operation, @Nullable String serversWords) {
    return new RedisConnectorException(operation + ": the server refused: " + serversWords, null);
  }

  /** Whether a command ended with an error that the server sent. */
  static boolean isReply(Throwable failure) {
    return root(failure) instanceof RedisCommandExecutionException;
  }

  /** What failed, without what futures wrap around it. */
  static Throwable root(Throwable failure) {
    Throwable root = failure;
    while (root instanceof CompletionException && root.getCause() != null) {
      root = root.getCause();
    }
    return root;
  }

  /** No answer came, or none that could be used. */
  static LmcacheException lost(String operation, Throwable cause) {
    Throwable root = root(cause);
    if (root instanceof LmcacheException known) {
      return known;
    }
    if (root instanceof RedisCommandExecutionException) {
      return refused(operation, root.getMessage());
    }
    return new RedisConnectorException(operation + ": " + root.getMessage(), root);
  }
}
