/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds bytes of a device that two ranges of a batch both have. */
final class Overlaps {

  private Overlaps() {}

  /** Two ranges that share a byte, in words; null if there are none. */
  static @Nullable String first(List<DeviceRange> ranges) {
    List<Span> spans = new ArrayList<>();
    for (DeviceRange range : ranges) {
      long start = range.buffer().rawAddress() + range.offset();
      if (range.isDense()) {
        spans.add(new Span(start, start + range.bytes(), range));
      } else {
        for (long row = 0; row < range.rows(); row++) {
          long at = start + row * range.pitch();
          spans.add(new Span(at, at + range.width(), range));
        }
      }
    }
    spans.sort(Comparator.comparingLong(Span::start));
    Span reaching = null;
    for (Span span : spans) {
      if (reaching != null && span.start < reaching.end) {
        return reaching.range + " and " + span.range;
      }
      reaching = span;
    }
    return null;
  }

  private record Span(long start, long end, DeviceRange range) {}
}
