/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

/** Fewer bytes than the shortest header has. */
public final class TruncatedMetadataException extends MetadataException {

  private static final long serialVersionUID = 1L;

  TruncatedMetadataException(String key, int bytes) {
    super(
        key,
        NO_GROUP,
        "header length in bytes",
        Integer.toString(bytes),
        RemoteMetadataCodec.MIN_LENGTH + " or more");
  }
}
