/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

/** A number in a header that stands for no memory format or dtype. */
public final class UnknownCodeException extends MetadataException {

  private static final long serialVersionUID = 1L;

  UnknownCodeException(String key, int group, String what, int code, String limit) {
    super(key, group, what, Integer.toString(code), limit);
  }
}
