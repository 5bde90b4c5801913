/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.RedisConnector;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Removes chunks. */
@Command(
    name = "rm",
    description = "Removes chunks, and prints the keys that were there, or how many.",
    footer = {
      "",
      "The exit code is 1 when one of the keys was not there; the others are removed all the same.",
      "--model walks through the whole key space, and removes halves of chunks as well."
    })
final class RemoveCommand implements Callable<Integer> {

  @ParentCommand private Lmcache4j app;

  @ArgGroup(multiplicity = "1")
  private What what = new What();

  private static final class What {

    @Parameters(paramLabel = "KEY", arity = "1..*", description = "The keys.")
    private @Nullable List<String> keys;

    @Option(
        names = "--model",
        paramLabel = "MODEL",
        description = "Every chunk of this model, as it stands in keys.")
    private @Nullable String model;
  }

  @Override
  public Integer call() {
    if (what.model != null) {
      return clear(what.model);
    }
    return remove(Objects.requireNonNull(what.keys));
  }

  private int clear(String model) {
    try (RedisConnector connector = app.connect(UnaryOperator.identity())) {
      long removed = connector.sync().clear(model);
      app.out().println(removed);
      return removed == 0 ? ExitCode.ABSENT : ExitCode.OK;
    }
  }

  private int remove(List<String> keys) {
    // All of them first: a bad one means that nothing is removed.
    List<ChunkKey> parsed = keys.stream().map(ChunkKey::parse).toList();
    int exitCode = ExitCode.OK;
    try (RedisConnector connector = app.connect(UnaryOperator.identity())) {
      for (ChunkKey key : parsed) {
        if (connector.sync().remove(key)) {
          app.out().println(key);
        } else {
          app.note("lmcache4j: " + key + ": absent");
          exitCode = ExitCode.ABSENT;
        }
      }
    }
    return exitCode;
  }
}
