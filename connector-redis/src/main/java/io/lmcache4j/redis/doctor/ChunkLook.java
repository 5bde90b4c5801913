/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.redis.StoredName;
import io.lmcache4j.redis.StoredName.Part;
import io.lmcache4j.redis.Survey;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A chunk or a layer of one, at the key by which readers find it: its metadata, or the whole where
 * there is none.
 */
final class ChunkLook extends Look {

  /** {@code PTTL} of a key that never expires. */
  private static final long FOREVER = -1;

  /** The two times to live are not read at the same moment. */
  private static final long SAME_MILLIS = 1000;

  private static final CompletableFuture<Long> NOT_ASKED =
      CompletableFuture.completedFuture(Survey.ABSENT);
  private static final CompletableFuture<byte[]> NO_HEADER =
      CompletableFuture.completedFuture(new byte[0]);

  private final Duration grace;
  private final Siblings siblings;
  private final Part commit;
  private final Part body;

  private CompletableFuture<Long> idle = NOT_ASKED;
  private CompletableFuture<Long> commitIdle = NOT_ASKED;
  private CompletableFuture<Long> memory = NOT_ASKED;
  private CompletableFuture<Long> commitTtl = NOT_ASKED;
  private CompletableFuture<Long> bodyTtl = NOT_ASKED;
  private CompletableFuture<Long> length = NOT_ASKED;
  private CompletableFuture<byte[]> header = NO_HEADER;
  private @Nullable CompletableFuture<String> commitType;

  ChunkLook(StoredName name, Duration grace) {
    super(name);
    this.grace = grace;
    this.siblings = new Siblings(name);
    this.commit = name.part();
    this.body = name.form().isPair() ? Part.PAYLOAD : Part.WHOLE;
  }

  @Override
  void ask(Survey.Trip trip, CacheState state) {
    // First what depends on nobody having looked: on old servers the reading below counts as use.
    if (state.nextIsSampled()) {
      idle = trip.idleSeconds(key(body));
      memory = trip.memoryBytes(key(body));
    }
    commitTtl = trip.ttlMillis(key(commit));
    if (name.form().isPair()) {
      if (mayBeWrittenFirst()) {
        commitIdle = trip.idleSeconds(key(Part.METADATA));
      }
      bodyTtl = trip.ttlMillis(key(body));
      header = trip.beginning(key(Part.METADATA), HeaderVerdict.BYTES_READ);
    } else {
      bodyTtl = commitTtl;
    }
    length = trip.length(key(body));
    siblings.ask(trip, state);
  }

  /** Until 0.3.5, and with Sentinel until 0.3.10, the metadata was; ever since the payload is. */
  private boolean mayBeWrittenFirst() {
    KeyFormat grammar = name.grammar();
    return grammar != null && grammar.compareTo(KeyFormat.V0_3_9_POST2) <= 0;
  }

  @Override
  void askMore(Survey.Trip trip) {
    if (name.form().isPair() && header.join().length == 0) {
      commitType = trip.type(key(Part.METADATA));
    }
    siblings.askMore(trip);
  }

  @Override
  void conclude(CacheState state) {
    if (commitTtl.join() == Survey.ABSENT) {
      return; // It went while it was looked at.
    }
    long bytes = length.join();
    String type = commitType == null ? "string" : commitType.join();
    if (!type.equals("string") || bytes == Survey.WRONG_TYPE) {
      state.problem(
          ProblemKind.WRONG_TYPE,
          name,
          0,
          bytes == Survey.WRONG_TYPE
              ? "the payload's key holds no string"
              : "the metadata's key holds a " + type);
      return;
    }
    if (bodyTtl.join() == Survey.ABSENT) {
      if (name.isAmbiguous()) {
        return; // It may be a whole chunk of another key.
      }
      if (isYoung(commitIdle.join(), grace)) {
        state.young();
      } else {
        state.problem(ProblemKind.ORPHAN_METADATA, name, 0, "");
      }
      return;
    }
    state.entry(name, name.text(), bytes);
    sampled(state, bytes);
    expiry(state, bytes);
    RemoteMetadata metadata = name.form().isPair() ? header(state, bytes) : null;
    siblings.conclude(state, bytes, metadata != null && isMla(metadata));
  }

  private void sampled(CacheState state, long bytes) {
    state.idle(idle.join());
    RankState rank = state.rank(name.key());
    if (rank != null && memory.join() > 0) {
      rank.sample(bytes, memory.join());
    }
  }

  private void expiry(CacheState state, long bytes) {
    long first = commitTtl.join();
    long second = bodyTtl.join();
    if (first == FOREVER && second == FOREVER) {
      state.problem(ProblemKind.NO_EXPIRY, name, bytes, "");
    } else if (second == FOREVER) {
      state.problem(
          ProblemKind.EXPIRY_DIFFERS, name, bytes, "the payload stays when the metadata is gone");
    } else if (first == FOREVER || first > second + SAME_MILLIS) {
      state.problem(
          ProblemKind.EXPIRY_DIFFERS, name, bytes, "the metadata stays when the payload is gone");
    }
  }

  private @Nullable RemoteMetadata header(CacheState state, long bytes) {
    HeaderVerdict verdict = HeaderVerdict.of(name.text(), header.join(), bytes);
    if (verdict.kind() != null) {
      state.problem(
          name.isAmbiguous() ? ProblemKind.MISMATCH : verdict.kind(),
          name,
          bytes,
          verdict.reason());
      return verdict.metadata();
    }
    RemoteMetadata metadata = verdict.metadata();
    if (metadata == null) {
      return null;
    }
    WorldState world = state.world(name.key());
    if (world != null) {
      world.describe(metadata);
    }
    DType engine = name.key().dtype();
    if (engine != DType.NONE
        && engine != DType.BFLOAT16
        && metadata.dtypes().contains(DType.BFLOAT16)) {
      state.problem(
          ProblemKind.DTYPE_FILLED_IN,
          name,
          bytes,
          "the key says " + engine.torchName() + ", the header bfloat16");
    }
    return metadata;
  }

  /** 0.3.0 wrote number 5 for latents, which stands for opaque bytes ever since. */
  private boolean isMla(RemoteMetadata metadata) {
    return metadata.format() == MemoryFormat.KV_MLA_FMT
        || (metadata.format() == MemoryFormat.BINARY_BUFFER && name.grammar() == KeyFormat.V0_3_0);
  }
}
