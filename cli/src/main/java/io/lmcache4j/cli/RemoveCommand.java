/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.RedisConnector;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Removes chunks. */
@Command(
    name = "rm",
    description = "Removes chunks, and prints the keys that were there.",
    footer = {
      "",
      "The exit code is 1 when one of them was not; the others are removed all the same."
    })
final class RemoveCommand implements Callable<Integer> {

  @ParentCommand private Lmcache4j app;

  @Parameters(paramLabel = "KEY", arity = "1..*", description = "The keys.")
  private List<String> keys;

  @Override
  public Integer call() {
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
