/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.reshard;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.reshard.Resharding;
import io.lmcache4j.core.reshard.World;
import io.lmcache4j.redis.KvChunk;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The chunks that one target is put together from, which have to agree with their world and with
 * each other. They stay whose they are.
 */
final class Sources {

  private final ChunkKey key;
  private final World world;
  private final Map<Integer, ChunkBuffer> payloads = new HashMap<>();
  private @Nullable RemoteMetadata first;
  private int tokens;
  private long bytes;

  Sources(ChunkKey key, World world) {
    this.key = key;
    this.world = world;
  }

  /** Takes note of a source, if it is what its world says. */
  void add(int worker, KvChunk chunk) {
    RemoteMetadata metadata = chunk.metadata();
    int its = tokensOf(worker, metadata);
    RemoteMetadata before = first;
    if (before == null) {
      first = metadata;
      tokens = its;
    } else if (its != tokens || metadata.format() != before.format()) {
      throw refused(
          worker,
          "is "
              + metadata.format()
              + " of "
              + its
              + " tokens, another worker's "
              + before.format()
              + " of "
              + tokens);
    }
    payloads.put(worker, chunk.payload());
    bytes += chunk.payload().length();
  }

  private int tokensOf(int worker, RemoteMetadata metadata) {
    KvGeometry geometry = world.geometry(worker);
    MemoryFormat format = metadata.format();
    if (!isCutUp(format, geometry) || metadata.groups() != 1) {
      throw refused(worker, "cannot be cut up: " + metadata);
    }
    Shape shape = metadata.shapes().get(0);
    int tokensAt = isLayer() ? (format == MemoryFormat.KV_2TD ? 1 : 0) : 2;
    int found = shape.rank() > tokensAt ? (int) shape.dim(tokensAt) : 0;
    RemoteMetadata wanted = found < 1 ? null : describe(format, found, geometry);
    if (wanted == null
        || metadata.length() != wanted.length()
        || metadata.dtype(0) != geometry.dtype()
        || !samePadded(shape, wanted.shapes().get(0))) {
      throw refused(
          worker,
          "is "
              + shape
              + " of "
              + metadata.dtype(0)
              + ", a worker of this world writes "
              + describe(format, geometry.chunkSize(), geometry).shapes().get(0)
              + " of "
              + geometry.dtype());
    }
    return found;
  }

  private boolean isLayer() {
    return key instanceof LayerCacheEngineKey;
  }

  private boolean isCutUp(MemoryFormat format, KvGeometry geometry) {
    if (!isLayer()) {
      return format == geometry.chunkFormat();
    }
    // What blends stores the layers of keys and values the other way round.
    return format == geometry.layerFormat() || (!geometry.mla() && format == MemoryFormat.KV_2TD);
  }

  /** Headers have four dimensions, the last of them zero where a tensor has fewer. */
  private static boolean samePadded(Shape read, Shape wanted) {
    for (int i = 0; i < read.rank(); i++) {
      if (read.dim(i) != (i < wanted.rank() ? wanted.dim(i) : 0)) {
        return false;
      }
    }
    return read.rank() >= wanted.rank();
  }

  private Resharder.ReshardException refused(int worker, String what) {
    return new Resharder.ReshardException(key.withWorkerId(worker), "it " + what, null);
  }

  /** What a chunk of the same tokens and format is in another geometry. */
  RemoteMetadata describe(KvGeometry geometry) {
    RemoteMetadata source = first;
    if (source == null) {
      throw new IllegalStateException("no source");
    }
    return describe(source.format(), tokens, geometry);
  }

  private RemoteMetadata describe(MemoryFormat format, int tokens, KvGeometry geometry) {
    KvGeometry ofTokens = geometry.withChunkSize(tokens);
    Shape shape;
    if (format == MemoryFormat.KV_2TD) {
      shape = ofTokens.blendedLayerShape(tokens);
    } else if (isLayer()) {
      shape = ofTokens.layerShape(tokens);
    } else {
      shape = ofTokens.chunkShape();
    }
    return RemoteMetadata.of(format, shape, geometry.dtype());
  }

  /** Copies what a target takes from one of the sources. */
  void copy(Resharding plan, int source, int target, ChunkBuffer into) {
    ChunkBuffer from = payloads.get(source);
    if (from == null) {
      throw new IllegalStateException("no source " + source);
    }
    if (isLayer()) {
      plan.copyLayer(tokens, source, from.nio(), target, into.nio());
    } else {
      plan.copyChunk(tokens, source, from.nio(), target, into.nio());
    }
  }

  /** Payload bytes that were read. */
  long bytes() {
    return bytes;
  }
}
