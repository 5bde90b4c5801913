/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import org.jspecify.annotations.Nullable;

/** The last diagnosis of the cache. */
public interface Diagnoses {

  /**
   * The last one.
   *
   * @return JSON in UTF-8, or null if there is none
   */
  byte @Nullable [] last();
}
