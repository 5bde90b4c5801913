/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.cli.matrix.MatrixException;
import io.lmcache4j.cli.matrix.MatrixReport;
import io.lmcache4j.cli.matrix.MatrixResult;
import io.lmcache4j.cli.matrix.MatrixRun;
import io.lmcache4j.cli.matrix.MatrixSettings;
import io.lmcache4j.cli.matrix.MatrixText;
import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.model.KnownModel;
import io.lmcache4j.core.model.KvGeometry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Tries every producer with every consumer. */
@Command(
    name = "matrix",
    description =
        "Stores a prompt by producers of each tensor-parallel size, and loads it by consumers of"
            + " each.",
    footer = {
      "",
      "Without --url it starts a Redis of its own; the variables of LMCache are not looked at.",
      "",
      "For each pair, the producer's ranks store numbered payloads, the consumer looks up, the"
          + " chunks are resharded if the sizes differ, and the consumer's ranks look up and load."
          + " Every byte is compared, outside of the timed parts. A plain copy of the same bytes is"
          + " timed beside resharding. What loading saves is an estimate from published figures: no"
          + " GPU takes part.",
      "",
      "A report rendered --from a file may have the figures of GPUs; docs/MATRIX.md tells the"
          + " names.",
      "The exit code is 1 if a chunk was not found or came back different."
    })
final class MatrixCommand implements Callable<Integer> {

  /** Should it be killed, what it left on a server of others goes by itself. */
  private static final Duration SAFETY_NET = Duration.ofMinutes(10);

  @ParentCommand private Lmcache4j app;

  @ArgGroup(multiplicity = "1")
  private Source source = new Source();

  @Option(
      names = "--report",
      paramLabel = "DIR",
      description = "Write the results there as Markdown, CSV, JSON and heat maps.")
  private @Nullable Path report;

  @Option(names = "--json", description = "Print the results as one JSON object.")
  private boolean json;

  /** Where results come from. */
  private static final class Source {

    @Option(
        names = "--from",
        paramLabel = "FILE",
        description = "Measure nothing; render the JSON form of results that were measured before.")
    private @Nullable Path file;

    @ArgGroup(exclusive = false, multiplicity = "1")
    private @Nullable Measurement measurement;
  }

  private static final class Measurement {

    @Option(
        names = "--prefill-tp",
        paramLabel = "P",
        split = ",",
        required = true,
        description = "Tensor-parallel sizes of producers, such as 1,2,4,8.")
    private List<Integer> prefill;

    @Option(
        names = "--decode-tp",
        paramLabel = "D",
        split = ",",
        required = true,
        description = "Tensor-parallel sizes of consumers.")
    private List<Integer> decode;

    @Option(
        names = "--model",
        paramLabel = "M",
        required = true,
        completionCandidates = KnownNames.class,
        description = "The model, one of ${COMPLETION-CANDIDATES}.")
    private String model;

    @Option(
        names = "--prompt-tokens",
        paramLabel = "N",
        defaultValue = "8192",
        description = "Tokens of the prompt. Default: ${DEFAULT-VALUE}.")
    private int promptTokens;

    @Option(
        names = "--chunk-size",
        paramLabel = "N",
        defaultValue = "" + KvGeometry.DEFAULT_CHUNK_SIZE,
        description = "Tokens of a chunk. Default: ${DEFAULT-VALUE}.")
    private int chunkTokens;

    @Option(
        names = "--save-unfull-chunk",
        description = "Store a short chunk at the end as well, which LMCache does not by default.")
    private boolean saveUnfullChunk;

    @Option(
        names = "--rounds",
        paramLabel = "N",
        defaultValue = "1",
        description = "How often each pair is measured. Default: ${DEFAULT-VALUE}.")
    private int rounds;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    MatrixResult result = source.file != null ? read(source.file) : measure();
    if (json) {
      app.out().println(result.json());
    } else {
      MatrixText.lines(result).forEach(app.out()::println);
    }
    if (report != null) {
      for (Path file : MatrixReport.write(report, result)) {
        app.note("wrote " + file);
      }
    }
    return ExitCode.OK;
  }

  private static MatrixResult read(Path file) {
    try {
      return MatrixResult.parse(Files.readString(file));
    } catch (NoSuchFileException e) {
      throw CommandException.badInput(file + ": there is no such file");
    } catch (IOException e) {
      throw CommandException.badInput(file + ": cannot be read (" + e.getMessage() + ")");
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput(file + ": not the results of a matrix: " + e.getMessage());
    }
  }

  private MatrixResult measure() throws InterruptedException {
    MatrixSettings settings = settings();
    String url = app.urlOption();
    requireMemory(settings, url == null);
    if (url != null) {
      return measure(settings, url, SAFETY_NET);
    }
    try (LocalRedis redis = LocalRedis.start()) {
      return measure(settings, redis.url(), null);
    }
  }

  private MatrixResult measure(MatrixSettings settings, String url, @Nullable Duration ttl)
      throws InterruptedException {
    try (Progress progress = app.progress("matrix", settings.movedBytes())) {
      return MatrixRun.run(settings, url, ttl, progress::step);
    } catch (MatrixException e) {
      throw CommandException.absent(String.valueOf(e.getMessage()));
    }
  }

  /** A server elsewhere has memory that is not known here. */
  private void requireMemory(MatrixSettings settings, boolean ownServer) {
    long needed = settings.hostBytes() + (ownServer ? settings.serverBytes() : 0);
    long free = FreeMemory.bytes();
    app.note(
        "memory that is needed at most: "
            + Figures.bytes(settings.hostBytes())
            + " here, "
            + Figures.bytes(settings.serverBytes())
            + (ownServer ? " in a Redis that is started" : " in the server"));
    if (needed > free) {
      throw CommandException.badInput(
          Figures.bytes(needed)
              + " of memory are needed on this machine, "
              + Figures.bytes(free)
              + " are free"
              + (ownServer
                  ? ": --prompt-tokens " + settings.longestPrompt(free) + " would fit"
                  : ""));
    }
  }

  private MatrixSettings settings() {
    Measurement what = Objects.requireNonNull(source.measurement);
    KnownModel model =
        KnownModel.named(what.model)
            .orElseThrow(
                () ->
                    CommandException.badInput(
                        "model "
                            + what.model
                            + " is not known; known are "
                            + String.join(", ", new KnownNames())));
    try {
      return new MatrixSettings(
          model,
          what.prefill,
          what.decode,
          what.promptTokens,
          what.chunkTokens,
          what.saveUnfullChunk,
          what.rounds);
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput(String.valueOf(e.getMessage()));
    }
  }
}
