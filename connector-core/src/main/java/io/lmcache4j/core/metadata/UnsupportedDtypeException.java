/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

import io.lmcache4j.core.DType;

/** A dtype for which LMCache has no number, so that a header cannot say it. */
public final class UnsupportedDtypeException extends MetadataException {

  private static final long serialVersionUID = 1L;

  UnsupportedDtypeException(String key, int group, DType dtype, String limit) {
    super(key, group, "dtype", dtype.torchName(), limit);
  }
}
