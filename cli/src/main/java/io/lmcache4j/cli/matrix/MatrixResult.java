/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What was measured, wherever that was: by {@link MatrixRun} without a GPU, or by a script around
 * real vLLM instances. Its JSON form has the same names; what was not measured is left out.
 *
 * @param setting of what
 * @param pairs each producer and consumer
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record MatrixResult(
    @JsonProperty(required = true) Setting setting,
    @JsonProperty(required = true) List<Pair> pairs) {

  private static final JsonMapper JSON =
      JsonMapper.builder()
          // A name that is misspelt would be a figure that is missing.
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  /** Takes a copy of the list. */
  public MatrixResult {
    Objects.requireNonNull(setting, "setting");
    pairs = List.copyOf(pairs);
    if (pairs.isEmpty()) {
      throw new IllegalArgumentException("no pairs");
    }
  }

  /**
   * What was measured, and where.
   *
   * @param measuredBy the command
   * @param model the model as it stands in keys
   * @param parameters its weights
   * @param layers its layers
   * @param queryHeads its attention heads
   * @param kvHeads its KV heads
   * @param headSize elements of a head
   * @param dtype type of an element of the cache
   * @param promptTokens tokens of the prompt
   * @param chunkTokens tokens of a full chunk
   * @param rounds how often each pair was measured
   * @param server name and version of the server, and how it is reached
   * @param machine the machine that the clients ran on
   * @param gpu the GPUs that took part; null if none did
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Setting(
      @JsonProperty(required = true) String measuredBy,
      @JsonProperty(required = true) String model,
      @JsonProperty(required = true) long parameters,
      @JsonProperty(required = true) int layers,
      @JsonProperty(required = true) int queryHeads,
      @JsonProperty(required = true) int kvHeads,
      @JsonProperty(required = true) int headSize,
      @JsonProperty(required = true) String dtype,
      @JsonProperty(required = true) int promptTokens,
      @JsonProperty(required = true) int chunkTokens,
      @JsonProperty(required = true) int rounds,
      @JsonProperty(required = true) String server,
      @JsonProperty(required = true) String machine,
      @Nullable String gpu) {}

  /**
   * One producer and one consumer. Bytes and times are of all ranks together.
   *
   * @param prefillTp tensor-parallel size of the producer
   * @param decodeTp tensor-parallel size of the consumer
   * @param hitTokensBefore tokens that the consumer found before anything was resharded
   * @param hitTokens tokens that it found at last
   * @param storedBytes payload bytes that the producer stored
   * @param store time for that
   * @param reshardReadBytes payload bytes that were read to be resharded
   * @param reshardWrittenBytes payload bytes that were written then
   * @param reshard time for that
   * @param copy time to read what the producer stored, and to write it again as it is
   * @param lookup time of the consumer's lookup
   * @param loadedBytes payload bytes that the consumer got
   * @param load time for that
   * @param ttftCold time to the first token where nothing is cached
   * @param ttftCached time to the first token where the prompt is
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Pair(
      @JsonProperty(required = true) int prefillTp,
      @JsonProperty(required = true) int decodeTp,
      @Nullable Integer hitTokensBefore,
      @JsonProperty(required = true) int hitTokens,
      @Nullable Long storedBytes,
      @Nullable Times store,
      @Nullable Long reshardReadBytes,
      @Nullable Long reshardWrittenBytes,
      @Nullable Times reshard,
      @Nullable Times copy,
      @Nullable Times lookup,
      @Nullable Long loadedBytes,
      @Nullable Times load,
      @Nullable Times ttftCold,
      @Nullable Times ttftCached) {

    /** Checks the sizes. */
    public Pair {
      if (prefillTp < 1 || decodeTp < 1) {
        throw new IllegalArgumentException(
            "tensor-parallel sizes " + prefillTp + " and " + decodeTp + ", allowed: 1 or more");
      }
    }

    /** Name in tables. */
    String name() {
      return prefillTp + "→" + decodeTp;
    }

    /** How much longer resharding takes than a copy; null where either was not measured. */
    @Nullable Double reshardToCopy() {
      return reshard == null || copy == null ? null : reshard.millis / copy.millis;
    }
  }

  /**
   * Times of one thing, in milliseconds.
   *
   * @param millis the median of the rounds
   * @param fastest the fastest round
   * @param slowest the slowest round
   */
  public record Times(
      @JsonProperty(required = true) double millis,
      @JsonProperty(required = true) double fastest,
      @JsonProperty(required = true) double slowest) {

    private static final double NANOS_PER_MILLI = 1e6;

    /** Of at least one round. */
    static Times ofNanos(long... nanos) {
      long[] sorted = nanos.clone();
      Arrays.sort(sorted);
      int n = sorted.length;
      double median = (sorted[n / 2] + sorted[(n - 1) / 2]) / 2.0;
      return new Times(
          median / NANOS_PER_MILLI, sorted[0] / NANOS_PER_MILLI, sorted[n - 1] / NANOS_PER_MILLI);
    }
  }

  /**
   * Reads the JSON form.
   *
   * @param json the text
   * @return the result
   * @throws IllegalArgumentException if it is not one; says where and why
   */
  public static MatrixResult parse(String json) {
    try {
      return Objects.requireNonNull(JSON.readValue(json, MatrixResult.class), "null");
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /**
   * The JSON form, on one line.
   *
   * @return the text
   */
  public String json() {
    try {
      return JSON.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("records of texts and numbers have a JSON form", e);
    }
  }
}
