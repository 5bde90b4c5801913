/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an examination found. Counts are those of one walk through a cache that is in use: what is
 * written meanwhile may be missing, and Redis may show a key twice while its table grows.
 *
 * @param examinedAt when it began, ISO 8601 in UTC
 * @param elapsedMillis how long it took
 * @param url what was examined, without credentials
 * @param server what its servers say of themselves
 * @param keys Redis keys that were seen
 * @param otherKeys those of them that are no chunk's
 * @param chunks stored entries: a whole chunk or a layer of one worker each
 * @param bytes their payload bytes
 * @param models what there is of each model, the largest first
 * @param ages when chunks were last used
 * @param problems what is wrong, the worst first
 * @param notes what could not be looked at, and why
 */
public record Diagnosis(
    String examinedAt,
    long elapsedMillis,
    String url,
    Server server,
    long keys,
    long otherKeys,
    long chunks,
    long bytes,
    List<Model> models,
    Ages ages,
    List<Problem> problems,
    List<String> notes) {

  /** Copies the lists. */
  public Diagnosis {
    models = List.copyOf(models);
    problems = List.copyOf(problems);
    notes = List.copyOf(notes);
  }

  /**
   * Whether something is wrong; a {@link ProblemKind.Severity#HINT} is no more than a guess.
   *
   * @return true if a problem is an error or a warning
   */
  public boolean isIll() {
    return problems.stream().anyMatch(p -> p.severity() != ProblemKind.Severity.HINT);
  }

  /**
   * The problems that mending would remove.
   *
   * @return those of a {@link ProblemKind#isRemovable} kind
   */
  public List<Problem> removable() {
    return problems.stream().filter(p -> p.kind().isRemovable()).toList();
  }

  /**
   * The servers, all masters of a cluster together.
   *
   * @param name name and version
   * @param masters how many there are
   * @param usedBytes memory in use
   * @param maxBytes {@code maxmemory}; 0 for no limit, -1 if it is not told
   * @param policy {@code maxmemory-policy}, or null if it is not told
   * @param evictedKeys evicted since the servers started, -1 if it is not told
   */
  public record Server(
      String name,
      int masters,
      long usedBytes,
      long maxBytes,
      @Nullable String policy,
      long evictedKeys) {}

  /**
   * One model.
   *
   * @param name as it stands in keys; a stranger's text
   * @param bytes payload bytes
   * @param worlds its worlds, by size
   */
  public record Model(String name, long bytes, List<World> worlds) {

    /** Copies the list. */
    public Model {
      worlds = List.copyOf(worlds);
    }
  }

  /**
   * The chunks of one world.
   *
   * @param size world size as it stands in keys
   * @param bytes payload bytes
   * @param chunks different chunks, whichever workers have them
   * @param complete those that every worker has
   * @param ranks its workers, by number
   */
  public record World(int size, long bytes, long chunks, long complete, List<Rank> ranks) {

    /** Copies the list. */
    public World {
      ranks = List.copyOf(ranks);
    }
  }

  /**
   * What one worker has stored.
   *
   * @param worker its number
   * @param entries whole chunks and layers
   * @param bytes their payload bytes
   * @param memoryBytes what the server needs for them, estimated from a sample; -1 if it does not
   *     tell
   */
  public record Rank(int worker, long entries, long bytes, long memoryBytes) {}

  /**
   * How long chunks have not been used, of a sample.
   *
   * @param sampled how many were asked for
   * @param buckets by age, the youngest first
   * @param unavailable why there are none, or null
   */
  public record Ages(long sampled, List<Bucket> buckets, @Nullable String unavailable) {

    /** Copies the list. */
    public Ages {
      buckets = List.copyOf(buckets);
    }

    /**
     * Chunks of about one age.
     *
     * @param label the upper limit, for people
     * @param belowSeconds upper limit; {@link Long#MAX_VALUE} for the last
     * @param count chunks of the sample
     */
    public record Bucket(String label, long belowSeconds, long count) {}
  }
}
