/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RemediesTest {

  private static final String URL = "redis://127.0.0.1:6379";

  /** A rank's chunk of 256 tokens in a world, and what reshard has to be told to make it of 4. */
  @ParameterizedTest
  @CsvSource({
    // Known by its name, and as expected; sixteen ranks share eight heads.
    "meta-llama/Llama-3.1-8B-Instruct, 2, 32, 512, ''",
    "meta-llama/Llama-3.1-8B-Instruct, 16, 32, 128, ''",
    // The name of a known model, but another one by its chunks.
    "meta-llama/Llama-3.1-8B-Instruct, 2, 33, 512, --layers 33 --kv-heads 8 --head-size 128",
    "meta-llama/Llama-3.1-8B-Instruct, 2, 32, 256, --layers 32 --kv-heads 4 --head-size 128",
    "my/model, 2, 32, 512, --layers 32 --kv-heads 8 --head-size 128",
  })
  void aKnownModelNeedsNoNumbers(String model, int from, int layers, int hidden, String numbers) {
    RemoteMetadata chunk =
        RemoteMetadata.of(MemoryFormat.KV_2LTD, Shape.of(2, layers, 256, hidden), DType.BFLOAT16);
    String command = new Remedies(URL).reshard(model, from, 4, chunk).command();
    assertThat(command)
        .isEqualTo(
            "lmcache4j reshard --model "
                + model
                + " --from-tp "
                + from
                + " --to-tp 4"
                + (numbers.isEmpty() ? "" : " " + numbers)
                + " --dtype bfloat16 --all --url "
                + URL);
  }

  /** A server's limit and policy, and what makes it evict. */
  @ParameterizedTest
  @CsvSource({
    "redis://h:1, 0, noeviction, C maxmemory 3mb && C maxmemory-policy allkeys-lru",
    "rediss://h:1, 0, allkeys-lfu, C maxmemory 3mb",
    "redis://h:1, 100, volatile-lru, C maxmemory-policy allkeys-lru",
    "redis-cluster://h:1, 0, noeviction,",
  })
  void aServerThatCannotEvictIsGivenALimit(
      String url, long maxBytes, String policy, @Nullable String commands) {
    Diagnosis.Server server = new Diagnosis.Server("redis", 1, (2 << 20) + 1, maxBytes, policy, 0);
    assertThat(new Remedies(url).noExpiry(server).command())
        .isEqualTo(
            commands == null
                ? null
                : commands.replace("C ", "redis-cli -u " + url + " CONFIG SET "));
  }
}
