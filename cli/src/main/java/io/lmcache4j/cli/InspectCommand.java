/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.EntryInfo;
import io.lmcache4j.redis.RedisConnector;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Shows an entry without its payload. */
@Command(
    name = "inspect",
    description = "Shows what is stored under a key. The payload is not read.",
    footer = {
      "",
      "ttlMillis is -1 for an entry that lives for ever. length and format are null where the metadata"
          + " is absent or unreadable. The exit code is 1 if the entry is absent, or has problems, so that it"
          + " would not be handed out."
    })
final class InspectCommand implements Callable<Integer> {

  @ParentCommand private Lmcache4j app;

  @Parameters(paramLabel = "KEY", description = "MODEL@WORLD_SIZE@WORKER_ID@HASH@DTYPE[@LAYER]…")
  private String key;

  @Option(
      names = "--json",
      description = {
        "Print one JSON object: key, length, format, groups (shape, dtype), payloadBytes,"
            + " ttlMillis, problems."
      })
  private boolean json;

  @Override
  public Integer call() {
    ChunkKey chunkKey = ChunkKey.parse(key);
    EntryInfo entry;
    try (RedisConnector connector = app.connect(UnaryOperator.identity())) {
      entry = connector.sync().inspect(chunkKey);
    }
    if (!entry.metadataPresent() && !entry.payloadPresent()) {
      throw CommandException.absent(key + ": absent");
    }
    if (json) {
      app.out().println(Json.line(object(entry)));
    } else {
      print(entry);
    }
    if (!entry.problems().isEmpty()) {
      throw CommandException.absent(key + ": " + String.join("; ", entry.problems()));
    }
    return ExitCode.OK;
  }

  private static Map<String, @Nullable Object> object(EntryInfo entry) {
    RemoteMetadata metadata = entry.metadata();
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    object.put("key", entry.key().toString());
    object.put("length", metadata == null ? null : metadata.length());
    object.put("format", metadata == null ? null : metadata.format().name());
    object.put("groups", metadata == null ? List.of() : groups(metadata));
    object.put("payloadBytes", entry.payloadBytes());
    object.put("ttlMillis", ttlMillis(entry));
    object.put("problems", entry.problems());
    return object;
  }

  private static List<Map<String, Object>> groups(RemoteMetadata metadata) {
    List<Map<String, Object>> groups = new ArrayList<>();
    for (int i = 0; i < metadata.groups(); i++) {
      Shape shape = metadata.shapes().get(i);
      Map<String, Object> group = new LinkedHashMap<>();
      group.put("shape", IntStream.range(0, shape.rank()).mapToObj(shape::dim).toList());
      group.put("dtype", metadata.dtype(i).torchName());
      groups.add(group);
    }
    return groups;
  }

  /** The metadata is what a reader looks for; where it is absent the payload's is all there is. */
  private static long ttlMillis(EntryInfo entry) {
    return entry.metadataPresent() ? entry.ttlMillis() : entry.payloadTtlMillis();
  }

  private void print(EntryInfo entry) {
    PrintStream out = app.out();
    RemoteMetadata metadata = entry.metadata();
    row(out, "key", entry.key());
    if (metadata != null) {
      row(out, "length", metadata.length() + " bytes");
      row(out, "format", metadata.format());
      for (int i = 0; i < metadata.groups(); i++) {
        row(out, "group " + i, metadata.shapes().get(i) + " " + metadata.dtype(i).torchName());
      }
    }
    row(out, "payload", entry.payloadPresent() ? entry.payloadBytes() + " bytes" : "absent");
    long ttl = ttlMillis(entry);
    row(out, "ttl", ttl < 0 ? "none" : Duration.ofMillis(ttl));
  }

  private static void row(PrintStream out, String name, Object value) {
    out.printf("%-9s%s%n", name, value);
  }
}
