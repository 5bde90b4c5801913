/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.LmcacheVersion;
import io.lmcache4j.core.token.ChunkedTokenDatabase;
import io.lmcache4j.core.token.HashAlgorithm;
import io.lmcache4j.core.token.NoneHash;
import io.lmcache4j.core.token.PythonVersion;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How the LMCache to agree with names the chunks of a prompt. */
final class HashingOptions {

  /** For the footer of a command that has these options. */
  static final String ABOUT_NONE_HASH =
      "The chain of hashes starts with NONE_HASH. A vLLM with PYTHONHASHSEED set makes it of that:"
          + " --python-hash-seed; LMCache logs it: --none-hash. Without either it is 0, as where LMCache runs"
          + " without vLLM.";

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

  LmcacheVersion lmcache() {
    return lmcache;
  }

  /** What names the chunks of a worker's prompts. */
  ChunkedTokenDatabase database(
      String model, int worldSize, int workerId, DType dtype, int chunkSize) {
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
      return (saveUnfullChunk ? builder.saveUnfullChunk(true) : builder).build();
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput(String.valueOf(e.getMessage()));
    }
  }
}
