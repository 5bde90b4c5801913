/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.bench;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chunk sizes from that of a small model's layer to that of a 70B model's chunk, each with the
 * batch that moves about the same bytes in a round, so that rounds of all sizes last long enough to
 * be timed and need about the same memory.
 *
 * @param points what is measured, smallest first
 * @param left chunk sizes that memory has no room for
 */
public record Sweep(List<Point> points, List<Integer> left) {

  /**
   * One size.
   *
   * @param chunkBytes length of a payload
   * @param batch chunks in a round
   */
  public record Point(int chunkBytes, int batch) {}

  private static final int MIB = 1 << 20;

  private static final List<Integer> SIZES =
      List.of(MIB / 4, MIB, 4 * MIB, 8 * MIB, 16 * MIB, 32 * MIB, 80 * MIB);

  /** Most bytes of a round each way. */
  private static final long ROUND_BYTES = 256L << 20;

  /** A batch is held here to be written, here to be read, and twice more by a server beside us. */
  private static final int COPIES = 4;

  private static final int MAX_BATCH = 512;

  /**
   * Plans.
   *
   * @param freeBytes memory that may be used
   * @param batch the most chunks in a round, or null for as many as make 256 MiB, 512 at most
   * @return the plan
   */
  public static Sweep plan(long freeBytes, @Nullable Integer batch) {
    long bound = Math.min(ROUND_BYTES, freeBytes / COPIES);
    int most = batch == null ? MAX_BATCH : batch;
    List<Point> points = new ArrayList<>();
    List<Integer> left = new ArrayList<>();
    for (int size : SIZES) {
      int fitting = (int) Math.min(most, bound / size);
      if (fitting > 0) {
        points.add(new Point(size, fitting));
      } else {
        left.add(size);
      }
    }
    return new Sweep(List.copyOf(points), List.copyOf(left));
  }
}
