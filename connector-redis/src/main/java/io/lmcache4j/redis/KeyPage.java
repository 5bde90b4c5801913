/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import java.util.List;

/**
 * One step of a listing. As with Redis' own {@code SCAN}, a page may be empty before the last one,
 * and a key that is written while the listing goes on may be listed twice or not at all.
 *
 * @param nextCursor what to ask for next; {@link #END} when this was the last page
 * @param keys the entries of this page
 */
public record KeyPage(String nextCursor, List<ListedKey> keys) {

  /** The cursor of the first page, and the next cursor of the last one. */
  public static final String END = "0";

  /** Copies the list. */
  public KeyPage {
    keys = List.copyOf(keys);
  }

  /**
   * Whether there is nothing behind this page.
   *
   * @return true for the last page
   */
  public boolean isLast() {
    return nextCursor.equals(END);
  }
}
