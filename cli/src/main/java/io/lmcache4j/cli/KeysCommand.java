/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.key.KeyFormat;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.PythonVersion;
import io.lmcache4j.core.token.TokenChunk;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
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
      "The chain of hashes starts with NONE_HASH. A vLLM with PYTHONHASHSEED set makes it of that:"
          + " --python-hash-seed; LMCache logs it: --none-hash. Without either it is 0, as where LMCache runs"
          + " without vLLM."
    })
final class KeysCommand implements Callable<Integer> {

  private static final String STDIN = "-";

  /** A prompt of a million tokens has some 7 MB. */
  private static final int MAX_BYTES = 256 << 20;

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

  @Option(
      names = "--hash",
      paramLabel = "HASH",
      defaultValue = "builtin",
      converter = Converters.ToHashAlgorithm.class,
      description = "builtin (default) or sha256_cbor.")
  private HashAlgorithm hash;

  @ArgGroup(exclusive = true)
  private @Nullable Start start;

  @Option(
      names = "--python",
      paramLabel = "VERSION",
      defaultValue = "3.11",
      converter = Converters.ToPythonVersion.class,
      description = "The Python that LMCache runs on. Default: 3.11.")
  private PythonVersion python;

  @Option(
      names = "--lmcache",
      paramLabel = "VERSION",
      converter = Converters.ToLmcacheVersion.class,
      description = "The LMCache to agree with. Default: 0.5.6.")
  private LmcacheVersion lmcache = LmcacheVersion.CURRENT;

  @Option(names = "--save-unfull-chunk", description = "Name a short chunk at the end as well.")
  private boolean saveUnfullChunk;

  /** Two ways to say the same. */
  static final class Start {

    @Option(
        names = "--none-hash",
        paramLabel = "N",
        converter = Converters.ToNoneHash.class,
        description = "NONE_HASH itself: an integer, or the 64 digits of a digest.")
    private @Nullable NoneHash noneHash;

    @Option(
        names = "--python-hash-seed",
        paramLabel = "S",
        description = "The PYTHONHASHSEED of vLLM.")
    private @Nullable String seed;

    NoneHash toNoneHash() {
      return noneHash != null ? noneHash : NoneHash.ofSeed(seed);
    }
  }

  @Override
  public Integer call() {
    ChunkedTokenDatabase database;
    try {
      ChunkedTokenDatabase.Builder builder =
          ChunkedTokenDatabase.builder()
              .modelName(model)
              .worldSize(worldSize)
              .workerId(workerId)
              .dtype(dtype)
              .chunkSize(chunkSize)
              .hashAlgorithm(hash)
              .pythonVersion(python)
              .version(lmcache)
              .noneHash(start == null ? NoneHash.zero() : start.toNoneHash());
      database = (saveUnfullChunk ? builder.saveUnfullChunk(true) : builder).build();
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput(String.valueOf(e.getMessage()));
    }
    long[] tokens = TokenText.parse(file.equals(STDIN) ? "standard input" : file, text());
    KeyFormat format = KeyFormat.of(lmcache);
    for (TokenChunk chunk : database.processTokens(tokens)) {
      app.out().println(format.format(chunk.key()));
    }
    return ExitCode.OK;
  }

  private String text() {
    try (InputStream in =
        file.equals(STDIN) ? app.streams().in() : Files.newInputStream(Path.of(file))) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw CommandException.badInput(file + ": longer than " + MAX_BYTES + " bytes");
      }
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw CommandException.badInput(file + ": there is no such file");
    } catch (IOException e) {
      throw CommandException.badInput(file + ": cannot be read (" + e.getMessage() + ")");
    }
  }
}
