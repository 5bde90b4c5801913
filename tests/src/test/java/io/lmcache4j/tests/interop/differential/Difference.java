/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop.differential;

import java.util.Locale;

/** What the two sides may disagree on; anything else is a failure. */
public enum Difference {
  BACK_FILL(
      "fewer dtypes than shapes",
      "refuses: `zip() argument 2 is shorter than argument 1`",
      "fills in the first dtype, or bfloat16"),
  GROUP_COUNT_OF_THE_PROCESS(
      "another number of groups than the process was set to",
      "refuses, `struct.error`: the number is global, set by the connector made last",
      "has no such number: it follows from the shapes, or from the header's length"),
  GROUPS_BEYOND_THE_PROCESS(
      "a header with more groups than the process was set to",
      "reads the first groups, and the length of all",
      "reads all"),
  NO_GROUP("no group at all", "writes a header of 8 bytes that it can't read", "refuses"),
  TOO_MANY_GROUPS("more than 64 groups", "no limit", "refuses"),
  NEGATIVE_NUMBER(
      "a negative length or dimension",
      "writes and reads it",
      "refuses to write it; reads it, and `get` says `Corrupt`"),
  UNTRUE_LENGTH(
      "a length that is not that of shapes and dtypes",
      "writes and reads it",
      "refuses to write it; reads it, and `get` says `Corrupt`"),
  EMPTY_MODEL("an empty model name", "writes and reads it", "refuses"),
  OLD_PREFIX("a model name that begins with `vllm@`", "writes it", "refuses: 0.3.12 wrote that"),
  SEPARATOR_IN_TAG(
      "`@` in a tag, or `%` in its name",
      "writes what it can't read, or reads otherwise", "refuses"),
  UNPAIRED_SURROGATE(
      "half of a surrogate pair", "writes a key that Redis can't be sent", "refuses"),
  NEGATIVE_LAYER("a negative layer", "writes a key that it can't read", "refuses"),
  SEPARATOR_IN_MODEL("`@` in a model name", "writes it and can't read it", "reads it"),
  SECOND_SPELLING(
      "`0xff`, `+5`, `f_f`, `FF`, spaces, digits of other scripts, padded ranks",
      "reads them, and writes another key",
      "refuses"),
  BEYOND_INT("a world size, rank or layer of 2^31 or more", "reads it", "refuses"),
  HASH_KEPT("a hash with zeros in front", "reads it, and writes another key", "keeps it verbatim"),
  REPEATED_TAG("a tag that occurs twice", "the last one wins", "refuses");

  private final String title;
  private final String lmcache;
  private final String here;

  Difference(String title, String lmcache, String here) {
    this.title = title;
    this.lmcache = lmcache;
    this.here = here;
  }

  /** What it is about. */
  public String title() {
    return title;
  }

  /** What LMCache 0.5.6 does. */
  public String lmcache() {
    return lmcache;
  }

  /** What lmcache4j does. */
  public String here() {
    return here;
  }

  /** The name of its vector file. */
  String fileName() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
