/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.tests.servers.RawConnection;
import io.lmcache4j.tests.servers.RawRedis;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What the server executes, in which order, as {@code MONITOR} tells it. */
final class OrderTest extends ConnectorContract {

  private static final String END = "end of the recording";

  /** What clients, Sentinel and nodes say to a server on their own account. */
  private static final Set<String> HOUSEKEEPING =
      Set.of("AUTH", "CLIENT", "CLUSTER", "HELLO", "INFO", "PUBLISH", "REPLCONF");

  /** What the connector itself says when a tick finds that an answer is awaited. */
  private static final String HEARTBEAT = "PING";

  private static final ChunkKey KEY = Samples.key(0x11);
  private static final String HEADER = "\"" + KEY + "metadata\"";
  private static final String PAYLOAD = "\"" + KEY + "kv_bytes\"";

  /** The commands that an action makes the servers execute, without their values. */
  private List<String> recorded(Runnable action) {
    List<String> lines = new ArrayList<>();
    try (RawRedis monitors = variant.server().raw()) {
      monitors.callEach("MONITOR");
      action.run();
      raw.call("ECHO", END);
      for (RawConnection monitor : monitors.masters()) {
        for (String line = line(monitor); !line.contains(END); line = line(monitor)) {
          lines.add(line);
        }
      }
    }
    // 1700000000.123456 [0 127.0.0.1:50000] "SET" "key" "value" …: the time is of one clock, since
    // all servers run here.
    lines.sort(null);
    List<String> commands = new ArrayList<>();
    for (String line : lines) {
      String[] words = line.substring(line.indexOf("] ") + 2).split(" ", -1);
      String command = words[0].replace("\"", "");
      if (!command.equals(HEARTBEAT) && (isStrict() || !HOUSEKEEPING.contains(command))) {
        commands.add(String.join(" ", List.of(words).subList(0, Math.min(2, words.length))));
      }
    }
    return commands;
  }

  /** Whether nobody but the connector talks to the server, and that only when it is asked to. */
  private boolean isStrict() {
    return !variant.isCluster() && variant.server().topology() != Topology.SENTINEL;
  }

  private static String line(RawConnection monitor) {
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
