/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatList;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.GetOutcome;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * The rows of {@code behaviour_0.5.6.json} on {@code resp://}; see {@link BehaviourOfLmcacheTest}.
 */
final class BehaviourOfRespTest extends SingleKeyContract {

  private static final String STORED = "resp stored keys";
  private static final String PRESENT = "resp get present";
  private static final String MISSING = "resp get of a missing key (3 s limit)";
  private static final String AFTERWARDS =
      "resp get of a present key afterwards on the same single worker (3 s limit)";

  /** What is compared here. */
  static final Set<String> ROWS = Set.of(STORED, PRESENT, MISSING, AFTERWARDS);

  private static final ChunkKey KEY = Samples.key(7);

  private static JsonNode observed(String row) {
    return Vectors.rows("behaviour_0.5.6.json", "observations").stream()
        .filter(each -> each.get("name").asText().equals(row))
        .findFirst()
        .orElseThrow()
        .get("observed");
  }

  @Test
  void theKeyIsTheSameAndIsFound() {
    stored(KEY);
    assertThatList(raw.keys())
        .isEqualTo(Vectors.list(observed(STORED)).stream().map(JsonNode::asText).toList());
    assertThat(observed(PRESENT).asText()).isEqualTo("TensorMemoryObj");
    assertThat(bytesOf(get(KEY))).isEqualTo(Samples.payload());
  }

  /** There a nil reply is not understood, and the worker that waits for it is lost for good. */
  @Test
  void aMissIsAMissAndTheNextGetFindsWhatIsThere() {
    assertThat(List.of(observed(MISSING), observed(AFTERWARDS)))
        .allMatch(there -> there.get("exception").asText().equals("TimeoutError"));
    assertThat(get(Samples.key(8))).isEqualTo(new GetOutcome.Miss(Samples.key(8)));
    stored(KEY);
    assertThat(bytesOf(get(KEY))).isEqualTo(Samples.payload());
  }
}
