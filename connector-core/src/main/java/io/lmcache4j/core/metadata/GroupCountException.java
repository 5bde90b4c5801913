/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.metadata;

/** No group at all, or more than {@link RemoteMetadataCodec#MAX_GROUPS}. */
public final class GroupCountException extends MetadataException {

  private static final long serialVersionUID = 1L;

  GroupCountException(String key, int groups) {
    super(
        key,
        NO_GROUP,
        "number of groups",
        Integer.toString(groups),
        "1 to " + RemoteMetadataCodec.MAX_GROUPS);
  }
}
