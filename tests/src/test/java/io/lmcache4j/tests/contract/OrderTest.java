/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.KvChunk;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What the server executes, in which order, as {@code MONITOR} tells it. */
final class OrderTest extends ConnectorContract {

  private static final String END = "end of the recording";

  private static final ChunkKey KEY = Samples.key(0x11);
  private static final String HEADER = "\"" + KEY + "metadata\"";
  private static final String PAYLOAD = "\"" + KEY + "kv_bytes\"";

  /** The commands that an action makes the server execute, without their values. */
  private List<String> recorded(Runnable action) {
    try (RawRedis monitor = variant.server().raw()) {
      monitor.call("MONITOR");
      action.run();
      raw.call("ECHO", END);
      List<String> commands = new ArrayList<>();
      for (String line = line(monitor); !line.contains(END); line = line(monitor)) {
        // 1700000000.123456 [0 127.0.0.1:50000] "SET" "key" "value" …
        String[] words = line.substring(line.indexOf("] ") + 2).split(" ", -1);
        commands.add(String.join(" ", List.of(words).subList(0, Math.min(2, words.length))));
      }
      return commands;
    }
  }

  private static String line(RawRedis monitor) {
    return String.valueOf(monitor.reply());
  }

  @Test
  void thePayloadIsWrittenBeforeTheMetadata() {
    assertThat(recorded(() -> stored(KEY)))
        .containsExactly("\"SET\" " + PAYLOAD, "\"SET\" " + HEADER);
  }

  @Test
  void eachChunkOfABatchIsWrittenInThatOrder() {
    List<KvChunk> chunks =
        IntStream.range(0, 50)
            .mapToObj(i -> chunk(Samples.key(i), Samples.METADATA, Samples.payload()))
            .toList();
    List<String> commands = recorded(() -> connector.sync().batchedPut(chunks));
    chunks.forEach(KvChunk::close);
    assertThat(commands).hasSize(100);
    for (KvChunk chunk : chunks) {
      assertThat(commands)
          .containsSubsequence(
              "\"SET\" \"" + payload(chunk.key()) + "\"",
              "\"SET\" \"" + header(chunk.key()) + "\"");
    }
  }

  @Test
  void theMetadataIsReadBeforeThePayloadAndNothingElseIsAsked() {
    stored(KEY);
    assertThat(recorded(() -> bytesOf(get(KEY))))
        .containsExactly("\"GET\" " + HEADER, "\"GET\" " + PAYLOAD);
  }

  @Test
  void theMetadataIsDeletedBeforeThePayload() {
    stored(KEY);
    assertThat(recorded(() -> connector.sync().remove(KEY)))
        .containsExactly("\"DEL\" " + HEADER, "\"DEL\" " + PAYLOAD);
  }

  @Test
  void aLookupAsksForTheMetadataAlone() {
    assertThat(recorded(() -> connector.sync().exists(KEY)))
        .containsExactly("\"EXISTS\" " + HEADER);
    assertThat(recorded(() -> connector.sync().batchedContains(List.of(KEY))))
        .containsExactly("\"EXISTS\" " + HEADER);
  }

  @Test
  void inspectingNeverReadsThePayload() {
    stored(KEY);
    assertThat(recorded(() -> connector.sync().inspect(KEY)))
        .contains("\"STRLEN\" " + PAYLOAD)
        .doesNotContain("\"GET\" " + PAYLOAD, "\"GETRANGE\" " + PAYLOAD);
  }

  @Test
  void aTimeToLiveIsPartOfTheSet() {
    var expiring = open(options -> options.ttl(Duration.ofHours(1)));
    assertThat(recorded(() -> put(expiring, KEY, Samples.METADATA, Samples.payload())))
        .containsExactly("\"SET\" " + PAYLOAD, "\"SET\" " + HEADER);
  }
}
