/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A line of the table. */
enum Feature {
  HEADER("metadata header: every dtype, format, rank and number of groups", Direction.BOTH),
  KEY_TEXT("key: hashes, dtypes, layers, tags", Direction.BOTH),
  TOKENS_BUILTIN("tokens to keys: `builtin`, NONE_HASH 0", Direction.BOTH),
  TOKENS_BUILTIN_SEEDED(
      "tokens to keys: `builtin`, PYTHONHASHSEED 0 (0.5.6: and 42)", Direction.BOTH),
  TOKENS_CBOR("tokens to keys: `sha256_cbor`, PYTHONHASHSEED 0 and 42", Direction.BOTH),
  EVERY_DTYPE("`redis://` KV_2LTD, every dtype of the table"),
  SIZES("`redis://` small, odd and large payloads (0.5.6: 1 byte to 80 MiB)"),
  PARTIAL("`redis://` partial chunk"),
  HASHES("`redis://` negative and unsigned hashes"),
  TAGS("`redis://` tags, in the request's order"),
  MLA("`redis://` KV_MLA_FMT"),
  LAYERWISE("`redis://` layerwise: KV_T2D, KV_2TD, KV_MLA_FMT"),
  EC_TD("`redis://` EC_TD"),
  HS_TD("`redis://` HS_TD"),
  GROUPS("`redis://` 2 to 4 groups"),
  OPAQUE("`redis://` opaque BINARY_BUFFER"),
  BATCH("`redis://` batched put and get"),
  LOOKUP("`redis://` lookup of a prefix"),
  STORY("tokens → keys → store → prefix lookup → get"),
  RESHARD(
      "`reshard`: ranks of one world store, those of another look up and get (and MLA)",
      Direction.THROUGH_JAVA),
  UNIX("`unix://`"),
  REDISS("`rediss://`, certificate verified: a sample of each feature above (0.5.6: all)"),
  CLUSTER("`redis-cluster://`: the same (0.5.6: and batches, lookup)"),
  SENTINEL("`redis-sentinel://`"),
  RESP("`resp://`: full chunks (0.5.6: every dtype, MLA, to 80 MiB, batches, lookup)"),
  VALKEY(
      "`valkey://`: the same (0.5.6: and in a cluster; to 0.4.2: `layout=pair`, also in a cluster)");

  /** What needs LMCache's connector, and not its key, header and token code alone. */
  static final List<Feature> CONNECTOR =
      Arrays.stream(values()).filter(f -> f.compareTo(EVERY_DTYPE) >= 0).toList();

  final String title;
  private final @Nullable Direction only;

  Feature(String title, @Nullable Direction only) {
    this.title = title;
    this.only = only;
  }

  Feature(String title) {
    this(title, null);
  }

  List<Direction> directions() {
    return only == null
        ? List.of(Direction.PYTHON_TO_JAVA, Direction.JAVA_TO_PYTHON)
        : List.of(only);
  }
}
