/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.metadata.MetadataException;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Reads what there is under a key, in one trip and without the payload. */
final class EntryInspection {

  /** {@code PTTL} of a key that is not there. */
  private static final long ABSENT = -2;

  /** {@code PTTL} of a key that never expires. */
  private static final long FOREVER = -1;

  private EntryInspection() {}

  static CompletableFuture<EntryInfo> of(
      ChunkKey key,
      PairKeys keys,
      RemoteMetadataCodec codec,
      RedisAsyncCommands<byte[], byte[]> commands) {
    CompletableFuture<String> headerType = commands.type(keys.metadata()).toCompletableFuture();
    CompletableFuture<String> payloadType = commands.type(keys.payload()).toCompletableFuture();
    CompletableFuture<Long> headerTtl = commands.pttl(keys.metadata()).toCompletableFuture();
    CompletableFuture<Long> payloadTtl = commands.pttl(keys.payload()).toCompletableFuture();
    // A key of another type has no length and no bytes: that becomes a problem below, not a
    // failure.
    CompletableFuture<@Nullable Long> headerBytes =
        nullIfOfAnotherType(commands.strlen(keys.metadata()));
    CompletableFuture<@Nullable Long> payloadBytes =
        nullIfOfAnotherType(commands.strlen(keys.payload()));
    CompletableFuture<byte @Nullable []> header =
        nullIfOfAnotherType(commands.getrange(keys.metadata(), 0, GetOperation.MAX_HEADER_BYTES));
    return CompletableFuture.allOf(
            headerType, payloadType, headerTtl, payloadTtl, headerBytes, payloadBytes, header)
        .thenApply(
            v ->
                judge(
                    key,
                    keys.text(),
                    codec,
                    new Half(headerType.join(), headerBytes.join(), headerTtl.join()),
                    new Half(payloadType.join(), payloadBytes.join(), payloadTtl.join()),
                    header.join()));
  }

  /** Every other failure says something about the server and nothing about the entry. */
  private static <T> CompletableFuture<@Nullable T> nullIfOfAnotherType(CompletionStage<T> reply) {
    CompletableFuture<@Nullable T> result = new CompletableFuture<>();
    reply.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            result.complete(value);
          } else if (String.valueOf(failure.getMessage()).startsWith("WRONGTYPE")) {
            result.complete(null);
          } else {
            result.completeExceptionally(failure);
          }
        });
    return result;
  }

  /** One of the two keys. */
  private record Half(String type, @Nullable Long bytes, long ttlMillis) {

    boolean isPresent() {
      return !type.equals("none");
    }

    long length() {
      return bytes == null ? 0 : bytes;
    }
  }

  private static EntryInfo judge(
      ChunkKey key,
      String text,
      RemoteMetadataCodec codec,
      Half header,
      Half payload,
      byte @Nullable [] headerBytes) {
    List<String> problems = new ArrayList<>();
    RemoteMetadata metadata = null;
    if (header.isPresent()) {
      metadata = decode(text, codec, header, headerBytes, problems);
    } else if (payload.isPresent()) {
      problems.add("the metadata is missing: no reader will ever find the payload");
    }
    if (payload.isPresent() && payload.bytes() == null) {
      problems.add("the payload's key holds a " + payload.type() + " and not a string");
    } else if (!payload.isPresent() && header.isPresent()) {
      problems.add(
          "the payload is missing: the next reader will find a miss and delete the metadata");
    } else if (metadata != null) {
      RemoteMetadataCodec.disagreement(metadata, payload.length()).ifPresent(problems::add);
    }
    if (header.isPresent() && payload.isPresent() && outlives(header, payload)) {
      problems.add(
          "the metadata outlives the payload: it expires in "
              + (header.ttlMillis() == FOREVER ? "no time" : header.ttlMillis() + " ms")
              + ", the payload in "
              + payload.ttlMillis()
              + " ms");
    }
    return new EntryInfo(
        key,
        header.isPresent(),
        payload.isPresent(),
        metadata,
        payload.length(),
        header.isPresent() ? header.ttlMillis() : ABSENT,
        payload.isPresent() ? payload.ttlMillis() : ABSENT,
        problems);
  }

  private static boolean outlives(Half header, Half payload) {
    return payload.ttlMillis() >= 0
        && (header.ttlMillis() == FOREVER || header.ttlMillis() > payload.ttlMillis());
  }

  private static @Nullable RemoteMetadata decode(
      String text,
      RemoteMetadataCodec codec,
      Half header,
      byte @Nullable [] bytes,
      List<String> problems) {
    if (header.bytes() == null || bytes == null) {
      problems.add("the metadata's key holds a " + header.type() + " and not a string");
      return null;
    }
    if (header.length() > GetOperation.MAX_HEADER_BYTES) {
      problems.add(
          "the metadata has "
              + header.length()
              + " bytes, a header at most "
              + GetOperation.MAX_HEADER_BYTES);
      return null;
    }
    try {
      return codec.decode(text, Unpooled.wrappedBuffer(bytes));
    } catch (MetadataException e) {
      problems.add(String.valueOf(e.getMessage()));
      return null;
    }
  }
}
