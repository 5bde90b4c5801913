/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.LayerCacheEngineKey;
import io.lmcache4j.redis.ListedKey;
import io.lmcache4j.redis.RedisConnector;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Lists keys while the server is scanned. */
@Command(
    name = "ls",
    description = "Lists the keys, one a line, while it scans the database.",
    footer = {
      "",
      "The order is the server's. A key that comes or goes during the scan may be listed or not, and one"
          + " may be listed twice. Names that end as a chunk's do and cannot be read as a key are counted on"
          + " stderr.",
      "With --json the output is one JSON array, with one key a line."
    })
final class ListCommand implements Callable<Integer> {

  /** Looking whether anybody still reads costs a flush. */
  private static final int FLUSH_EVERY = 256;

  @ParentCommand private Lmcache4j app;

  @Option(names = "--model", paramLabel = "M", description = "Only the keys of this very model.")
  private @Nullable String model;

  @Option(
      names = "--json",
      description =
          "Print an array of objects: key, model, worldSize, workerId, hash, dtype, layer, tags.")
  private boolean json;

  private long listed;
  private long unreadable;

  @Override
  public Integer call() {
    try (RedisConnector connector = app.connect(UnaryOperator.identity());
        Stream<ListedKey> keys = connector.sync().list()) {
      // Once whoever reads has gone, as head does, there is nothing left to do.
      keys.takeWhile(this::print).forEach(key -> {});
    }
    if (json) {
      app.out().println(listed == 0 ? "[]" : "\n]");
    }
    if (unreadable > 0) {
      app.note("lmcache4j: names that cannot be read as a key: " + unreadable);
    }
    return ExitCode.OK;
  }

  private boolean print(ListedKey name) {
    ChunkKey key = name.key();
    if (key == null) {
      unreadable++;
      return true;
    }
    if (model != null && !model.equals(key.modelName())) {
      return true;
    }
    if (json) {
      app.out().print((listed == 0 ? "[\n" : ",\n") + Json.line(object(name.name(), key)));
    } else {
      app.out().println(name.name());
    }
    listed++;
    return listed % FLUSH_EVERY != 0 || !app.out().checkError();
  }

  private static Map<String, @Nullable Object> object(String name, ChunkKey key) {
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    object.put("key", name);
    object.put("model", key.modelName());
    object.put("worldSize", key.worldSize());
    object.put("workerId", key.workerId());
    object.put("hash", key.chunkHash());
    object.put("dtype", key.dtype().torchName());
    object.put("layer", key instanceof LayerCacheEngineKey layer ? layer.layerId() : null);
    object.put("tags", key.tags());
    return object;
  }
}
