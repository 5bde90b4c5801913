/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.PythonVersion;
import io.lmcache4j.core.token.TokenChunk;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A model of two layers and four KV heads of two uint8, in chunks of eight tokens. A text's tokens
 * are its bytes, and each element of the cache tells key or value, layer, token, head and place.
 */
final class FakeModel {

  static final String NAME = "meta-llama/Fake-8B";
  static final int CHUNK = 8;
  static final int LAYERS = 2;
  static final int HEADS = 4;
  static final int HEAD_SIZE = 2;
  static final KvGeometry WHOLE =
      KvGeometry.of(LAYERS, HEADS, HEAD_SIZE, DType.UINT8).withChunkSize(CHUNK);

  private FakeModel() {}

  /** Keys as LMCache makes them on Python 3.12 with {@code PYTHONHASHSEED=0}. */
  static ChunkedTokenDatabase database(int world) {
    return ChunkedTokenDatabase.builder()
        .modelName(NAME)
        .worldSize(world)
        .dtype(DType.UINT8)
        .chunkSize(CHUNK)
        .hashAlgorithm(HashAlgorithm.SHA256_CBOR)
        .pythonVersion(PythonVersion.parse("3.12"))
        .noneHash(NoneHash.ofSeed("0"))
        .build();
  }

  static long[] tokens(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    long[] tokens = new long[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      tokens[i] = 1000L + bytes[i];
    }
    return tokens;
  }

  /** A chat's text: a template in which roles count. */
  static String chat(JsonNode messages) {
    StringBuilder text = new StringBuilder("<s>");
    for (JsonNode message : messages) {
      text.append('[').append(message.path("role").asText()).append(']');
      text.append(message.path("content").asText());
    }
    return text.append("[assistant]").toString();
  }

  /** Stores what a producer of a world stores of a prompt. */
  static void store(
      RedisConnector connector, int world, long[] tokens, Map<String, String> tags, int rank) {
    for (TokenChunk chunk : database(world).withTags(tags).processTokens(tokens)) {
      byte[] payload = payload(world, rank, tokens, chunk);
      try (DirectMemory memory = DirectMemory.create(1 << 16);
          ChunkBuffer lease = Objects.requireNonNull(memory.tryLease(payload.length));
          KvChunk stored =
              new KvChunk(
                  chunk.key().withWorkerId(rank),
                  RemoteMetadata.of(
                      MemoryFormat.KV_2LTD,
                      WHOLE.withTensorParallelSize(world).chunkShape(),
                      DType.UINT8),
                  lease.retain())) {
        stored.payload().nio().put(payload);
        assertThat(connector.sync().put(stored)).isInstanceOf(PutOutcome.Stored.class);
      }
    }
  }

  /** How many of a prompt's tokens all ranks of a world can load; fails if a byte is wrong. */
  static int hitTokens(
      RedisConnector connector, int world, long[] tokens, Map<String, String> tags) {
    List<TokenChunk> chunks = database(world).withTags(tags).processTokens(tokens);
    int hit = 0;
    for (TokenChunk chunk : chunks) {
      for (int rank = 0; rank < world; rank++) {
        ChunkKey key = chunk.key().withWorkerId(rank);
        GetOutcome outcome = connector.sync().get(key);
        if (!(outcome instanceof GetOutcome.Hit found)) {
          return hit;
        }
        try (KvChunk loaded = found.chunk()) {
          ByteBuffer bytes = loaded.payload().nio();
          byte[] payload = new byte[bytes.remaining()];
          bytes.get(payload);
          assertThat(payload).as(key.toString()).isEqualTo(payload(world, rank, tokens, chunk));
        }
      }
      hit = chunk.end();
    }
    return hit;
  }

  private static byte[] payload(int world, int rank, long[] tokens, TokenChunk chunk) {
    int heads = Math.max(1, HEADS / world);
    int firstHead = rank * HEADS / world;
    ByteBuffer bytes =
        ByteBuffer.allocate(2 * LAYERS * (chunk.end() - chunk.start()) * heads * HEAD_SIZE);
    for (int kv = 0; kv < 2; kv++) {
      for (int layer = 0; layer < LAYERS; layer++) {
        for (int at = chunk.start(); at < chunk.end(); at++) {
          for (int head = firstHead; head < firstHead + heads; head++) {
            for (int place = 0; place < HEAD_SIZE; place++) {
              int element = ((kv * LAYERS + layer) * HEADS + head) * HEAD_SIZE + place;
              bytes.put((byte) (tokens[at] * 131L + at * 37L + element));
            }
          }
        }
      }
    }
    return bytes.array();
  }
}
