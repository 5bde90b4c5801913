/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lmcache4j.tests.servers.Slots;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The raw client finds keys where LMCache's cluster connector put them (cluster_slots.json). */
final class SlotsTest {

  @ParameterizedTest
  @MethodSource("rows")
  void theTwoKeysAreInTwoSlots(JsonNode row) {
    String key = row.get("key").asText();
    assertThat(Slots.of(key + "metadata")).isEqualTo(row.get("slot_metadata").asInt());
    assertThat(Slots.of(key + "kv_bytes")).isEqualTo(row.get("slot_kv_bytes").asInt());
  }

  static Iterable<JsonNode> rows() {
    return Vectors.rows("cluster_slots.json", "rows");
  }
}
