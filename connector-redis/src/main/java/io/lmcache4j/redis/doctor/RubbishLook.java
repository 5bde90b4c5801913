/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.redis.StoredName;
import io.lmcache4j.redis.StoredName.Part;
import io.lmcache4j.redis.Survey;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Whether a key of a two-key layout belongs to what no reader can ever use, and what exactly it is.
 */
final class RubbishLook {

  private final byte[] metadataKey;
  private final byte[] payloadKey;
  private final StoredName name;
  private final CompletableFuture<Long> metadataExists;
  private @Nullable CompletableFuture<byte[]> header;
  private @Nullable CompletableFuture<Long> headerLength;
  private @Nullable CompletableFuture<Long> payloadExists;
  private @Nullable CompletableFuture<Long> payloadLength;

  RubbishLook(StoredName name, Survey.Trip trip) {
    this.name = name;
    this.metadataKey = name.redisKey(Part.METADATA);
    this.payloadKey = name.redisKey(Part.PAYLOAD);
    this.metadataExists = trip.exists(metadataKey);
    if (name.part() == Part.METADATA) {
      header = trip.beginning(metadataKey, HeaderVerdict.BYTES_READ);
      headerLength = trip.length(metadataKey);
      payloadExists = trip.exists(payloadKey);
      payloadLength = trip.length(payloadKey);
    }
  }

  void askMore(Survey.Trip trip) {
    if (name.part() == Part.PAYLOAD && metadataExists.join() == 0) {
      payloadExists = trip.exists(payloadKey);
      payloadLength = trip.length(payloadKey);
    }
  }

  Mender.@Nullable Rubbish rubbish() {
    if (payloadExists == null || payloadLength == null || payloadLength.join() < 0) {
      return null;
    }
    boolean payloadThere = payloadExists.join() > 0;
    long bytes = payloadLength.join();
    if (header == null || headerLength == null) {
      return payloadThere
          ? rubbish(ProblemKind.ORPHAN_PAYLOAD, bytes, Survey.ABSENT, null, bytes)
          : null;
    }
    long length = headerLength.join();
    if (metadataExists.join() == 0 || length < 0 || length >= HeaderVerdict.BYTES_READ) {
      return null;
    }
    if (!payloadThere) {
      return rubbish(ProblemKind.ORPHAN_METADATA, 0, length, header.join(), Survey.ABSENT);
    }
    HeaderVerdict verdict = HeaderVerdict.of(name.text(), header.join(), bytes);
    return verdict.kind() == ProblemKind.UNREADABLE
        ? rubbish(ProblemKind.UNREADABLE, bytes, length, header.join(), bytes)
        : null;
  }

  private Mender.Rubbish rubbish(
      ProblemKind kind,
      long bytes,
      long metadataLength,
      byte @Nullable [] metadata,
      long payloadLength) {
    return new Mender.Rubbish(
        kind,
        bytes,
        List.of(
            new Survey.Seen(metadataKey, metadataLength, metadata),
            new Survey.Seen(payloadKey, payloadLength, null)));
  }
}
