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

/** Looks up a prefix. */
@Command(
    name = "exists",
    description = "Prints how many of the keys are there, counted from the first to the first gap.",
    footer = {"", "The exit code is 0 when all are there, else 1."})
final class ExistsCommand implements Callable<Integer> {

  @ParentCommand private Lmcache4j app;

  @Parameters(paramLabel = "KEY", arity = "1..*", description = "The keys, in the prompt's order.")
  private List<String> keys;

  @Override
  public Integer call() {
    List<ChunkKey> parsed = keys.stream().map(ChunkKey::parse).toList();
    try (RedisConnector connector = app.connect(UnaryOperator.identity())) {
      int present = connector.sync().batchedContains(parsed);
      app.out().println(present);
      return present == parsed.size() ? ExitCode.OK : ExitCode.ABSENT;
    }
  }
}
