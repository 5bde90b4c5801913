/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.core.token;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.DType;
import io.lmcache4j.core.VectorFile;
import io.lmcache4j.core.key.CacheEngineKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.StreamSupport;

/** Reads the vectors that Python LMCache produced. */
final class HashVectors {

  static final String MODEL = "meta-llama/Llama-3.1-8B-Instruct";

  private HashVectors() {}

  static List<JsonNode> list(JsonNode array) {
    assertThat(array.isArray()).isTrue();
    return StreamSupport.stream(array.spliterator(), false).toList();
  }

  static long[] longs(JsonNode array) {
    return list(array).stream()
        .mapToLong(
            n -> {
              assertThat(n.canConvertToLong()).isTrue();
              return n.longValue();
            })
        .toArray();
  }

  /** A named prompt; {@code hash_builtin.json} has them all. */
  static long[] tokens(String name) {
    return longs(VectorFile.read("hash_builtin").path("token_sets").path(name));
  }

  static boolean fitsInt(long[] tokens) {
    return Arrays.stream(tokens).allMatch(t -> t == (int) t);
  }

  static int[] ints(long[] tokens) {
    return Arrays.stream(tokens).mapToInt(Math::toIntExact).toArray();
  }

  static ChunkedTokenDatabase.Builder llama() {
    return ChunkedTokenDatabase.builder().modelName(MODEL).dtype(DType.BFLOAT16);
  }

  /** One line for a chunk: start, end, and the key's fields in the grammar that is asked for. */
  static String line(TokenChunk chunk, KeyGrammar grammar) {
    return chunk.start() + " " + chunk.end() + " " + grammar.print(chunk.key());
  }

  static List<String> lines(List<TokenChunk> chunks, KeyGrammar grammar) {
    return chunks.stream().map(c -> line(c, grammar)).toList();
  }

  static List<String> expectedLines(JsonNode chunks) {
    List<String> lines = new ArrayList<>();
    for (JsonNode c : chunks) {
      lines.add(
          c.path("start").intValue()
              + " "
              + c.path("end").intValue()
              + " "
              + c.path("key").textValue());
    }
    return lines;
  }

  /** Checks a prompt through every way in that can take it. */
  static void assertChunks(
      ChunkedTokenDatabase database, long[] tokens, KeyGrammar grammar, List<String> expected) {
    assertThat(lines(database.processTokens(tokens), grammar)).isEqualTo(expected);
    if (fitsInt(tokens)) {
      assertThat(lines(database.processTokens(ints(tokens)), grammar)).isEqualTo(expected);
    }
  }

  static List<String> chunkHashes(List<TokenChunk> chunks) {
    return chunks.stream().map(c -> c.key().chunkHash()).toList();
  }

  /** What the keys in the vectors look like, from the fields alone. */
  enum KeyGrammar {
    /** 0.3.0 to 0.3.9. */
    VLLM_PREFIX {
      @Override
      String print(CacheEngineKey key) {
        assertThat(key.dtype()).isEqualTo(DType.NONE);
        return "vllm@" + stem(key);
      }
    },
    /** 0.3.13 and newer. */
    CURRENT {
      @Override
      String print(CacheEngineKey key) {
        StringBuilder text = new StringBuilder(stem(key)).append('@').append(key.dtype().keyName());
        key.tags()
            .forEach((name, value) -> text.append('@').append(name).append('%').append(value));
        return text.toString();
      }
    };

    abstract String print(CacheEngineKey key);

    private static String stem(CacheEngineKey key) {
      return String.join(
          "@",
          key.modelName(),
          Integer.toString(key.worldSize()),
          Integer.toString(key.workerId()),
          key.chunkHash());
    }
  }
}
