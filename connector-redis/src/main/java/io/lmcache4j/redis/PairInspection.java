/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis;

import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.metadata.MetadataException;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Reads what there is under a key of the two-key layout, in one trip and without the payload. */
final class PairInspection {

  private PairInspection() {}

  /**
   * Inspects.
   *
   * @param others where the chunk may lie instead
   */
  static CompletableFuture<EntryInfo> of(
      ChunkKey key,
      PairLayout.Keys keys,
      OtherLayouts others,
      RemoteMetadataCodec codec,
      RedisClusterAsyncCommands<byte[], byte[]> commands) {
    CompletableFuture<StoredValue> header = StoredValue.of(keys.metadata(), commands);
    CompletableFuture<StoredValue> payload = StoredValue.of(keys.payload(), commands);
    CompletableFuture<List<String>> elsewhere = others.problems(commands);
    CompletableFuture<byte @Nullable []> headerBytes =
        StoredValue.nullIfOfAnotherType(
            commands.getrange(keys.metadata(), 0, GetOperation.MAX_HEADER_BYTES));
    return CompletableFuture.allOf(header, payload, elsewhere, headerBytes)
        .thenApply(
            v ->
                judge(
                    key,
                    keys.text(),
                    codec,
                    header.join(),
                    payload.join(),
                    headerBytes.join(),
                    elsewhere.join()));
  }

  private static EntryInfo judge(
      ChunkKey key,
      String text,
      RemoteMetadataCodec codec,
      StoredValue header,
      StoredValue payload,
      byte @Nullable [] headerBytes,
      List<String> elsewhere) {
    List<String> problems = new ArrayList<>();
    RemoteMetadata metadata = null;
    if (header.isPresent()) {
      metadata = decode(text, codec, header, headerBytes, problems);
    } else if (payload.isPresent()) {
      problems.add("the metadata is missing: no reader will ever find the payload");
    } else {
      problems.addAll(elsewhere);
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
          "the metadata outlives the payload: it expires "
              + (header.ttlMillis() == StoredValue.FOREVER
                  ? "never"
                  : "in " + header.ttlMillis() + " ms")
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
        header.ttlMillis(),
        payload.ttlMillis(),
        problems);
  }

  private static boolean outlives(StoredValue header, StoredValue payload) {
    return payload.ttlMillis() >= 0
        && (header.ttlMillis() == StoredValue.FOREVER || header.ttlMillis() > payload.ttlMillis());
  }

  private static @Nullable RemoteMetadata decode(
      String text,
      RemoteMetadataCodec codec,
      StoredValue header,
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
