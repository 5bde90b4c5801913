/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

/** More dtypes than shapes: it cannot be told which ones are meant. */
public final class DtypeCountException extends MetadataException {

  private static final long serialVersionUID = 1L;

  DtypeCountException(String key, int dtypes, int shapes) {
    super(
        key,
        NO_GROUP,
        "number of dtypes",
        Integer.toString(dtypes),
        "at most " + shapes + ", one for each shape");
  }
}
