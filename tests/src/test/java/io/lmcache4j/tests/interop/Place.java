/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lmcache4j.core.model.KvGeometry;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where chunks lie, as each side takes it.
 *
 * @param java the URL that our connector is opened with
 * @param python the one that LMCache's is
 * @param extraConfig LMCache's {@code extra_config}, or null for none
 * @param geometry what a chunk is, where the layout has no header that says it
 * @param prefix what stands in front of a chunk's key in its Redis keys
 * @param suffixes what stands behind a chunk's key in its Redis keys, in alphabetical order
 */
record Place(
    String java,
    String python,
    @Nullable JsonNode extraConfig,
    @Nullable KvGeometry geometry,
    String prefix,
    List<String> suffixes) {

  /** A place with headers that both sides have the same URL for. */
  static Place of(String url) {
    return new Place(url, url, null, null, "", List.of("kv_bytes", "metadata"));
  }

  /** A place of bare payloads. */
  static Place of(String java, String python, JsonNode extraConfig, KvGeometry geometry) {
    return new Place(java, python, extraConfig, geometry, "", List.of(""));
  }

  /** The Redis keys of a chunk here. */
  List<String> redisKeys(String key) {
    return suffixes.stream().map(suffix -> prefix + key + suffix).toList();
  }

  /** Adds to a request what LMCache must be told. */
  ObjectNode tell(ObjectNode open) {
    Json.put(open, "url", python, "extra_config", extraConfig);
    KvGeometry known = geometry;
    return known == null
        ? open
        : Json.put(
            open,
            "layers",
            known.layers(),
            "heads",
            known.kvHeads(),
            "head_size",
            known.headSize(),
            "chunk_size",
            known.chunkSize(),
            "use_mla",
            known.mla(),
            "dtype",
            known.dtype().torchName());
  }
}
