/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.reshard;

import io.lmcache4j.core.reshard.World.Shard;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * How each worker's chunks of one world are put together from those of another. Immutable.
 *
 * <p>Each head of each layer is taken from one source alone, where several have it: the first.
 */
public final class Resharding {

  private final World from;
  private final World to;
  private final List<List<Piece>> pieces;

  private Resharding(World from, World to, List<List<Piece>> pieces) {
    this.from = from;
    this.to = to;
    this.pieces = pieces;
  }

  /**
   * Plans.
   *
   * @param from the world that wrote the chunks
   * @param to the world that is to read them
   * @return the plan
   * @throws IllegalArgumentException if they are not of one model
   */
  public static Resharding between(World from, World to) {
    if (!from.model().equals(to.model())) {
      throw new IllegalArgumentException("two models: " + from.model() + " and " + to.model());
    }
    List<Shard> sources = from.shards();
    List<List<Piece>> pieces = new ArrayList<>();
    for (Shard target : to.shards()) {
      pieces.add(piecesOf(target, sources));
    }
    return new Resharding(from, to, List.copyOf(pieces));
  }

  private static List<Piece> piecesOf(Shard target, List<Shard> sources) {
    List<Piece> pieces = new ArrayList<>();
    for (Shard source : sources) {
      int layer = Math.max(source.firstLayer(), target.firstLayer());
      int layers =
          Math.min(source.firstLayer() + source.layers(), target.firstLayer() + target.layers())
              - layer;
      int head = Math.max(source.firstHead(), target.firstHead());
      int heads =
          Math.min(source.firstHead() + source.heads(), target.firstHead() + target.heads()) - head;
      if (layers <= 0 || heads <= 0) {
        continue;
      }
      Piece piece =
          new Piece(
              source.worker(),
              layer - source.firstLayer(),
              layer - target.firstLayer(),
              layers,
              head - source.firstHead(),
              head - target.firstHead(),
              heads);
      // Shards are equal or share nothing: a replica has what an earlier source gave.
      boolean given =
          pieces.stream()
              .anyMatch(
                  p ->
                      p.targetLayer() == piece.targetLayer()
                          && p.targetHead() == piece.targetHead());
      if (!given) {
        pieces.add(piece);
      }
    }
    return List.copyOf(pieces);
  }

  /**
   * The world that wrote the chunks.
   *
   * @return as given
   */
  public World from() {
    return from;
  }

  /**
   * The world that is to read them.
   *
   * @return as given
   */
  public World to() {
    return to;
  }

  /**
   * Whose chunks a target is put together from.
   *
   * @param targetWorker 0 to the target world's size - 1
   * @return workers of the source world, in their order
   */
  public Set<Integer> sourcesOf(int targetWorker) {
    Set<Integer> workers = new TreeSet<>();
    for (Piece piece : pieces.get(targetWorker)) {
      workers.add(piece.sourceWorker());
    }
    return workers;
  }

  /**
   * Copies what a target's whole chunk {@code [2, layers, tokens, hidden]} takes from one source's;
   * with MLA it is {@code [1, layers, tokens, latent]}. When that has been done for all of {@link
   * #sourcesOf}, every byte of the target is written.
   *
   * @param tokens tokens of the chunk, the same in both
   * @param sourceWorker whose payload it is
   * @param source the whole payload, from position 0 on; not changed
   * @param targetWorker whose payload is written
   * @param target the whole payload, from position 0 on; its position is not used
   * @throws IllegalArgumentException if a buffer has not the length that its world says
   */
  public void copyChunk(
      int tokens, int sourceWorker, ByteBuffer source, int targetWorker, ByteBuffer target) {
    requireLength("source", source, bytes(from, sourceWorker, tokens));
    requireLength("target", target, bytes(to, targetWorker, tokens));
    int sourceLayers = from.geometry(sourceWorker).layers();
    int targetLayers = to.geometry(targetWorker).layers();
    for (Piece piece : pieces.get(targetWorker)) {
      if (piece.sourceWorker() != sourceWorker) {
        continue;
      }
      for (int tensor = 0; tensor < to.model().tensors(); tensor++) {
        copyRows(
            piece.layers() * tokens,
            source,
            (tensor * sourceLayers + piece.sourceLayer()) * tokens,
            target,
            (tensor * targetLayers + piece.targetLayer()) * tokens,
            piece);
      }
    }
  }

  /**
   * The same for one layer of a chunk, as LMCache stores them layer by layer: {@code [tokens, 2,
   * hidden]}, {@code [2, tokens, hidden]} or, with MLA, {@code [tokens, latent]}.
   *
   * @param tokens tokens of the chunk, the same in both
   * @param sourceWorker whose payload it is
   * @param source the whole payload, from position 0 on; not changed
   * @param targetWorker whose payload is written
   * @param target the whole payload, from position 0 on; its position is not used
   * @throws IllegalArgumentException if a buffer has not the length that its world says
   * @throws IllegalStateException with pipelining, where a layer has another number in each stage
   */
  public void copyLayer(
      int tokens, int sourceWorker, ByteBuffer source, int targetWorker, ByteBuffer target) {
    if (from.layersOfStages().size() > 1 || to.layersOfStages().size() > 1) {
      throw new IllegalStateException("single layers cannot be resharded with pipelining");
    }
    int layers = from.model().layers();
    requireLength("source", source, bytes(from, sourceWorker, tokens) / layers);
    requireLength("target", target, bytes(to, targetWorker, tokens) / layers);
    for (Piece piece : pieces.get(targetWorker)) {
      if (piece.sourceWorker() == sourceWorker) {
        copyRows(to.model().tensors() * tokens, source, 0, target, 0, piece);
      }
    }
  }

  private static long bytes(World world, int worker, int tokens) {
    return world.geometry(worker).bytesPerToken() * tokens;
  }

  private static void requireLength(String which, ByteBuffer buffer, long wanted) {
    if (buffer.limit() != wanted) {
      throw new IllegalArgumentException(
          "the " + which + " has " + buffer.limit() + " bytes, wanted are " + wanted);
    }
  }

  /** Copies a piece's heads in a number of rows, each all heads of one token of one layer. */
  private void copyRows(
      int rows, ByteBuffer source, int sourceRow, ByteBuffer target, int targetRow, Piece piece) {
    int head = to.model().headSize() * to.model().dtype().itemSize();
    int sourceStride = from.geometry(piece.sourceWorker()).kvHeadsPerRank() * head;
    int targetStride = to.geometry(0).kvHeadsPerRank() * head;
    int length = piece.heads() * head;
    int at = sourceRow * sourceStride + piece.sourceHead() * head;
    int into = targetRow * targetStride + piece.targetHead() * head;
    if (sourceStride == targetStride && length == sourceStride) {
      target.put(into, source, at, rows * length);
      return;
    }
    for (int row = 0; row < rows; row++) {
      target.put(into, source, at, length);
      at += sourceStride;
      into += targetStride;
    }
  }
}
