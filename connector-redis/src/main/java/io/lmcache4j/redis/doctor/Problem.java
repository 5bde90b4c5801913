/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One thing that is wrong.
 *
 * @param kind what it is
 * @param severity how bad it is, {@link ProblemKind#severity}
 * @param model whose chunks it is about, or null for the whole cache
 * @param summary a sentence that says it with its numbers
 * @param count how many chunks or keys it is about
 * @param bytes how many payload bytes those have, as far as that is known
 * @param examples keys, as they stand in Redis and at most as many as the options ask for; names of
 *     strangers, to be escaped before they are shown
 * @param remedy what to do, a sentence or two
 * @param command the command that does it, safe to be pasted into a shell, or null if there is none
 */
public record Problem(
    ProblemKind kind,
    ProblemKind.Severity severity,
    @Nullable String model,
    String summary,
    long count,
    long bytes,
    List<String> examples,
    String remedy,
    @Nullable String command) {

  /** Copies the list. */
  public Problem {
    examples = List.copyOf(examples);
  }
}
