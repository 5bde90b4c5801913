/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.core.token.TokenChunk;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Names the chunks of a prompt. No server is asked. */
@Command(
    name = "keys",
    description = "Prints the keys of a prompt's chunks, one a line. No server is asked.",
    footer = {
      "",
      "Token ids are whole numbers between spaces, line breaks or commas, or a JSON array.",
      HashingOptions.ABOUT_NONE_HASH
    })
final class KeysCommand implements Callable<Integer> {

  @ParentCommand private Lmcache4j app;

  @Parameters(paramLabel = "TOKENS-FILE|-", description = "The token ids; - is standard input.")
  private String file;

  @Option(
      names = "--model",
      paramLabel = "M",
      required = true,
      description = "The model as vLLM was given it: a path or a hub id, not the served name.")
  private String model;

  @Option(
      names = "--world-size",
      paramLabel = "W",
      required = true,
      description = "Tensor times pipeline parallel size; 1 for an MLA model.")
  private int worldSize;

  @Option(names = "--worker-id", paramLabel = "R", required = true, description = "The rank.")
  private int workerId;

  @Option(
      names = "--dtype",
      paramLabel = "D",
      required = true,
      converter = Converters.ToDType.class,
      description = "The engine's KV dtype; uint8 for an fp8 KV cache of vLLM.")
  private DType dtype;

  @Option(
      names = "--chunk-size",
      paramLabel = "N",
      required = true,
      description = "Tokens of a chunk; LMCache's default is 256.")
  private int chunkSize;

  @Mixin private final HashingOptions hashing = new HashingOptions();

  @Override
  public Integer call() {
    ChunkedTokenDatabase database = hashing.database(model, worldSize, workerId, dtype, chunkSize);
    long[] tokens = TokenFile.read(app.streams(), file);
    KeyFormat format = KeyFormat.of(hashing.lmcache());
    for (TokenChunk chunk : database.processTokens(tokens)) {
      app.out().println(format.format(chunk.key()));
    }
    return ExitCode.OK;
  }
}
