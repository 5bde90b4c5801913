/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.key;

/** The grammar of a key. */
public enum KeyFormat {
  /** LMCache 0.3.13 and newer. */
  V0_3_13
}
