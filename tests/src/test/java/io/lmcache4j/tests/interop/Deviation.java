/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

/**
 * Something that LMCache 0.5.6 does (unless said otherwise) and lmcache4j does not, seen by a test
 * of this run on both sides. {@link #reproduction} is what to send to {@code tests/python/peer.py},
 * shortened where the rest follows from {@code PROTOCOL.md}.
 */
enum Deviation {
  MISSING_DTYPES(
      "One shape and no dtype: the failure that this project grew from",
      "`zip() argument 2 is shorter than argument 1`; nothing is stored",
      "stores bfloat16 (or the first dtype that there is), and LMCache reads it",
      """
      {"op":"put","key":"m@1@0@1@bfloat16","shapes":[[2,1,2,2]],"dtypes":["bfloat16"],"meta_dtypes":[],…}"""),
  SILENT_BATCHED_PUT(
      "One bad chunk in a batched put",
      "every completion callback runs and `put_failed_count` stays 0; one warning, which names no"
          + " key",
      "the others are stored, the bad one is `Failed` under its own key",
      """
      {"op":"batched_put","items":[{good},{…,"meta_dtypes":[]},{good}]}"""),
  SHIFTED_BATCH(
      "A hole in a batched get, non-blocking",
      "leaves the hole out, so every later chunk is taken for the one before it",
      "a `Miss` at its own place",
      """
      {"op":"batched_get","mode":"non_blocking","keys":[there,missing,there]} gives 2 results"""),
  STALE_MEMORY(
      "A header whose length is smaller than its shape",
      "a hit; what the payload does not cover is whatever the buffer held before, such as another"
          + " prompt's chunk. A negative length is accepted too",
      "`Corrupt`, with the numbers; nothing is handed out",
      """
      SET m@1@0@1@uint8kv_bytes 1234; SET …metadata (4,1, 6,1,1,1,16 as int32); \
      {"op":"get","key":"m@1@0@1@uint8","want":"base64"}"""),
  HEADER_BOMB(
      "A header of 28 bytes that claims 16 GiB",
      "the allocator waits on the event loop for room that never comes: this get times out, and the"
          + " connector never answers again",
      "`Corrupt`, before anything is allocated",
      """
      SET …metadata (8,1, 6,1048576,1024,1,16 as int32); {"op":"get",…}; {"op":"exists",…}"""),
  UNREADABLE_FORMATS(
      "Formats UNDEFINED (0) and BINARY (4)",
      "are written and can't be read: `Unsupported memory format`, a miss",
      "are written and read",
      """
      {"op":"put",…,"meta_fmt":4}; {"op":"get",…}"""),
  REMOVE(
      "Removing a chunk",
      "not implemented: returns false after logging an empty error; the chunk stays",
      "removes both keys",
      """
      {"op":"remove","key":"…"}"""),
  CLOSE_NEVER_RETURNS(
      "Closing the connector",
      "`RemoteBackend.close()` of `redis://` waits on the event loop for a coroutine of that same"
          + " loop, for good (0.3.7 and newer)",
      "returns, after what is in flight",
      """
      {"op":"close"} says "hung":true"""),
  KEY_WITH_SPACES(
      "Spaces around a key",
      "are stripped to tell a layer key from another, and then are not: ` m@1@0@5@half@3 ` is layer"
          + " 3 of a model called ` m`",
      "refused, with the field",
      """
      {"op":"key_parse","key":" m@1@0@5@half@3 "}"""),
  MODEL_WITH_AT(
      "A model name with `@`",
      "is written and can't be parsed",
      "is written and parsed, from the right",
      """
      {"op":"key_format","key":{"model":"a@b",…}}; {"op":"key_parse","key":"a@b@1@0@5@half"}"""),
  HASH_OF_NONE(
      "`builtin` hashes of 0.3.4 to 0.3.15 before Python 3.12",
      "hash `None`, whose hash is an address: two processes don't agree on one key",
      "refuses to compute them, saying so",
      """
      peer.py --lmcache-version 0.3.15, twice: {"op":"tokens_to_keys",…}"""),
  RESP_MISS(
      "A missing key over `resp://`",
      "the worker thread waits for good, and so does `exists` once all workers are gone",
      "a `Miss`, and the connection goes on",
      """
      {"op":"open","url":"resp://…","extra_config":{"save_chunk_meta":false,"resp_num_threads":1},…}; \
      {"op":"get","key":missing}; {"op":"exists","key":there}"""),
  RESP_LOOKUP_LOST(
      "A synchronous lookup over `resp://`",
      "waits for good if the reply is there before the caller has noted that it waits for one"
          + " (`batch_exists_sync` of `connector_client_base.py`: the event loop drops it). Seen by"
          + " itself on a busy machine; the test makes it certain with a pause of 50 ms",
      "a command is noted before it is sent",
      """
      {"op":"open","url":"resp://…",…}; {"op":"late_return","seconds":0.05}; \
      {"op":"lookup","mode":"sync","keys":[…]}"""),
  SENTINEL_WRITES_NOTHING(
      "`redis-sentinel://`",
      "put succeeds and writes nothing, exists is always true, get is an empty AssertionError, taken"
          + " for a miss; it connects even where there is no Sentinel",
      "asks Sentinel for the master, and writes and reads there",
      """
      {"op":"open","url":"redis-sentinel://127.0.0.1:1",…}; {"op":"put",…}""");

  final String title;
  final String lmcache;
  final String here;
  final String reproduction;

  Deviation(String title, String lmcache, String here, String reproduction) {
    this.title = title;
    this.lmcache = lmcache;
    this.here = here;
    this.reproduction = reproduction.strip();
  }
}
