/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.core.metadata.MetadataException;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.netty.buffer.Unpooled;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a header and the length of its payload say together.
 *
 * @param kind {@link ProblemKind#UNREADABLE}, {@link ProblemKind#MISMATCH}, or null if all agrees
 * @param reason why
 * @param metadata what the header says, or null if it cannot be read
 */
record HeaderVerdict(@Nullable ProblemKind kind, String reason, @Nullable RemoteMetadata metadata) {

  /** One byte more than any header has, to see that a value is longer. */
  static final int BYTES_READ =
      RemoteMetadataCodec.GROUPS_OFFSET
          + RemoteMetadataCodec.MAX_GROUPS * RemoteMetadataCodec.GROUP_LENGTH
          + 1;

  /**
   * Judges.
   *
   * <p>Nobody reads less than {@link RemoteMetadataCodec#MIN_LENGTH} bytes. Of the rest LMCache
   * copies the payload into a buffer of the shapes' size, cut to the header's length, and takes the
   * chunk if that is the payload's length; it knows as many groups as its process was started with,
   * and ignores the further ones. So a payload that is as long as the header says, or as some
   * number of its groups, may still be taken; one that is neither is a miss for every reader. A
   * number that stands for nothing today may do so for a release to come.
   */
  static HeaderVerdict of(String key, byte[] header, long payloadLength) {
    if (header.length < RemoteMetadataCodec.MIN_LENGTH) {
      return new HeaderVerdict(
          ProblemKind.UNREADABLE,
          "the header has "
              + header.length
              + " bytes, the shortest "
              + RemoteMetadataCodec.MIN_LENGTH,
          null);
    }
    if (header.length >= BYTES_READ) {
      return new HeaderVerdict(
          ProblemKind.MISMATCH, "the header has more than " + (BYTES_READ - 1) + " bytes", null);
    }
    RemoteMetadata metadata;
    try {
      metadata = RemoteMetadataCodec.current().decode(key, Unpooled.wrappedBuffer(header));
    } catch (MetadataException e) {
      return new HeaderVerdict(
          ProblemKind.MISMATCH, "the header has a number that stands for nothing", null);
    }
    Optional<String> disagreement = RemoteMetadataCodec.disagreement(metadata, payloadLength);
    if (disagreement.isEmpty()) {
      return new HeaderVerdict(null, "", metadata);
    }
    return new HeaderVerdict(
        mayBeTaken(metadata, payloadLength) ? ProblemKind.MISMATCH : ProblemKind.UNREADABLE,
        disagreement.get(),
        metadata);
  }

  private static boolean mayBeTaken(RemoteMetadata metadata, long payloadLength) {
    boolean negative = metadata.length() < 0 || metadata.payloadBytes() < 0;
    if (negative || metadata.length() == payloadLength) {
      return true;
    }
    long bytes = 0;
    for (int group = 0; group < metadata.groups(); group++) {
      long more = metadata.groupBytes(group);
      if (more > payloadLength - bytes) {
        return false;
      }
      bytes += more;
      if (bytes == payloadLength) {
        return true;
      }
    }
    return false;
  }
}
