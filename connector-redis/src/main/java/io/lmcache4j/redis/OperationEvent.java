/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.time.Duration;

/**
 * What one operation came to. A batch of puts or gets is one event for each of its keys, a lookup
 * of a prefix one for all.
 *
 * @param kind which operation
 * @param result what it came to
 * @param bytes payload bytes that were stored or read; 0 if none were
 * @param elapsed from the call to the outcome, waiting for the byte budget included
 */
public record OperationEvent(Kind kind, Result result, long bytes, Duration elapsed) {

  /** The operations. */
  public enum Kind {
    /** A chunk is stored. */
    PUT,
    /** A chunk is read. */
    GET,
    /** One chunk is looked up. */
    EXISTS,
    /** A prefix is looked up. */
    LOOKUP,
    /** A chunk is removed. */
    REMOVE,
    /** A chunk is inspected. */
    INSPECT,
    /** A page of keys is listed. */
    LIST,
    /** A sign of life is asked for. */
    PING
  }

  /** What operations come to. */
  public enum Result {
    /** Done: stored, answered, read. */
    OK,
    /** A get found nothing. */
    MISS,
    /** A get found metadata without a payload, and removed it. */
    ORPHAN,
    /** A get found what cannot be a chunk. */
    CORRUPT,
    /** A get found a chunk for which there was no memory. */
    NO_MEMORY,
    /** Time was up. */
    TIMEOUT,
    /** Not sent, because the server does not answer. */
    UNAVAILABLE,
    /** The caller gave it up. */
    CANCELLED,
    /** Anything else: refused by the server or by a check, or lost with its connection. */
    FAILED
  }
}
