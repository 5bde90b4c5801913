/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

/** What can be wrong with a cache. */
public enum ProblemKind {
  /** A payload without metadata: every reader asks for the metadata first, and finds a miss. */
  ORPHAN_PAYLOAD(Severity.WARNING, true),

  /** Metadata without a payload: lookups count it as a hit, the load that follows is a miss. */
  ORPHAN_METADATA(Severity.ERROR, true),

  /** A chunk whose header is cut off, or whose payload fits neither its length nor its shapes. */
  UNREADABLE(Severity.ERROR, true),

  /** Header and payload disagree, and some reader would take the chunk all the same. */
  MISMATCH(Severity.ERROR, false),

  /** A chunk's key that holds no string. */
  WRONG_TYPE(Severity.ERROR, false),

  /** Chunks that not every worker of their world has. */
  INCOMPLETE_RANKS(Severity.WARNING, false),

  /** Chunks stored layer by layer of which layers are missing. */
  INCOMPLETE_LAYERS(Severity.ERROR, false),

  /** The workers of one world share hardly a chunk: their hashes differ. */
  DISJOINT_RANKS(Severity.ERROR, false),

  /** Hashes of two algorithms for one model. */
  MIXED_HASHES(Severity.WARNING, false),

  /** One model's chunks lie in several layouts, whose readers do not see each other's. */
  MIXED_LAYOUTS(Severity.WARNING, false),

  /** All chunks of a model lie in a layout that the examined URL's readers do not see. */
  OTHER_LAYOUT(Severity.WARNING, false),

  /** One model's keys follow the grammars of several LMCache releases. */
  MIXED_GRAMMARS(Severity.WARNING, false),

  /** One model's keys name several dtypes of the KV cache. */
  MIXED_DTYPES(Severity.HINT, false),

  /** Chunks that never expire on a server that will not evict them. */
  NO_EXPIRY(Severity.WARNING, false),

  /** The two halves of a chunk do not expire together. */
  EXPIRY_DIFFERS(Severity.WARNING, false),

  /** The header says bfloat16 and the key does not: the dtype may have been filled in. */
  DTYPE_FILLED_IN(Severity.HINT, false),

  /** Latents of an MLA model, the same for every worker, stored by more than one. */
  MLA_COPIES(Severity.HINT, false),

  /** Worlds of one model that lack each other's chunks, which resharding would give them. */
  OTHER_WORLD(Severity.HINT, false),

  /** One model seems to be stored under two names. */
  MODEL_NAMES(Severity.HINT, false);

  /** How bad a kind of problem is. */
  public enum Severity {
    /** Readers are misled, or can never use what is stored. */
    ERROR,
    /** Memory or hits are lost. */
    WARNING,
    /** May be meant so; worth a look. */
    HINT
  }

  private final Severity severity;
  private final boolean removable;

  ProblemKind(Severity severity, boolean removable) {
    this.severity = severity;
    this.removable = removable;
  }

  /**
   * How bad it is.
   *
   * @return the severity
   */
  public Severity severity() {
    return severity;
  }

  /**
   * Whether no reader can ever use such an entry, so that mending removes it.
   *
   * @return true for the halves of chunks and for what is unreadable
   */
  public boolean isRemovable() {
    return removable;
  }
}
