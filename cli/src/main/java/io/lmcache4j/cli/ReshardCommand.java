/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.key.ObjectKey;
import io.lmcache4j.core.model.KvGeometry;
import io.lmcache4j.core.reshard.Resharding;
import io.lmcache4j.core.reshard.World;
import io.lmcache4j.core.token.TokenChunk;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.reshard.ReshardOutcome;
import io.lmcache4j.redis.reshard.Resharder;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Gives a decoder of another tensor-parallel size the chunks of its producer. */
@Command(
    name = "reshard",
    description = {
      "Writes the chunks that workers of one tensor-parallel size need from those that workers of"
          + " another have written."
    },
    footer = {
      "",
      "Same hash, dtype and tags; world size and workers of the new world. What is there is not"
          + " written again: a job that was broken off is simply run again.",
      "A model that is known by its name needs no --layers and so on.",
      HashingOptions.ABOUT_NONE_HASH,
      "The exit code is 1 when a source was missing: nothing was written of that chunk."
    })
final class ReshardCommand implements Callable<Integer> {

  private static final String STDIN = "-";

  /** Payloads are under way in both directions; more at one time wait for the server. */
  private static final int AT_ONCE = 2;

  @ParentCommand private Lmcache4j app;

  @Option(
      names = "--model",
      paramLabel = "M",
      required = true,
      description = "The model as it stands in keys.")
  private String model;

  @Option(
      names = "--from-tp",
      paramLabel = "N",
      required = true,
      description = "Tensor-parallel size of those who wrote.")
  private int fromTp;

  @Option(
      names = "--to-tp",
      paramLabel = "N",
      required = true,
      description = "Tensor-parallel size of those who will read.")
  private int toTp;

  @Option(
      names = "--from-stages",
      paramLabel = "LAYERS",
      split = ",",
      description = "Layers of each pipeline stage of those who wrote, if there are several.")
  private @Nullable List<Integer> fromStages;

  @Option(
      names = "--to-stages",
      paramLabel = "LAYERS",
      split = ",",
      description = "The same of those who will read.")
  private @Nullable List<Integer> toStages;

  @Mixin private final GeometryOptions geometry = new GeometryOptions();

  @Option(
      names = "--chunk-size",
      paramLabel = "N",
      defaultValue = "" + KvGeometry.DEFAULT_CHUNK_SIZE,
      description = "Tokens of a chunk, for --tokens. Default: ${DEFAULT-VALUE}.")
  private int chunkSize;

  @Mixin private final HashingOptions hashing = new HashingOptions();

  @Option(
      names = "--ttl",
      paramLabel = "TIME",
      converter = Converters.ToDuration.class,
      description =
          "How long what is written lives: 1h, 30m, 90s, 500ms; the sources' own times are not looked"
              + " at. Default: for ever.")
  private @Nullable Duration ttl;

  @Option(
      names = "--json",
      description =
          "Print one object: written, present, incomplete, failed, readBytes, writtenBytes.")
  private boolean json;

  @ArgGroup(multiplicity = "1")
  private What what = new What();

  private static final class What {

    @Parameters(
        paramLabel = "KEY|-",
        arity = "1..*",
        description = "Any worker's key of each chunk; - reads them from standard input.")
    private @Nullable List<String> keys;

    @Option(
        names = "--tokens",
        paramLabel = "FILE|-",
        description = "The chunks of a prompt, which is told by its token ids, as for keys.")
    private @Nullable String tokens;

    @Option(names = "--all", description = "Every chunk of the model in the old world.")
    private boolean all;
  }

  private long written;
  private long present;
  private long incomplete;
  private long failed;
  private long readBytes;
  private long writtenBytes;

  @Override
  public Integer call() throws InterruptedException {
    Resharding plan = plan();
    ExecutorService copying = Executors.newFixedThreadPool(AT_ONCE);
    try (RedisConnector connector = app.connect(o -> ttl == null ? o : o.ttl(ttl));
        Stream<? extends ChunkKey> chunks = chunks(connector, plan.from());
        Progress progress = app.progress("reshard", -1)) {
      new Resharder(connector, plan, copying)
          .reshardAll(chunks.iterator(), AT_ONCE, outcome -> count(outcome, progress));
    } finally {
      copying.shutdown();
    }
    print();
    if (failed > 0) {
      return ExitCode.SERVER;
    }
    return incomplete > 0 ? ExitCode.ABSENT : ExitCode.OK;
  }

  private Resharding plan() {
    try {
      KvGeometry whole = geometry.of(model);
      return Resharding.between(world(whole, fromTp, fromStages), world(whole, toTp, toStages));
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput(String.valueOf(e.getMessage()));
    }
  }

  private static World world(KvGeometry whole, int tp, @Nullable List<Integer> stages) {
    return new World(whole, tp, stages == null ? List.of(whole.layers()) : stages);
  }

  private Stream<? extends ChunkKey> chunks(RedisConnector connector, World from) {
    if (what.all) {
      // Worker 0 has a part of every target, so that a chunk that it has not is incomplete anyway.
      return connector
          .sync()
          .list()
          .flatMap(listed -> Stream.ofNullable(listed.key()))
          .filter(key -> isOf(key, from) && key.workerId() == 0);
    }
    if (what.tokens != null) {
      return hashing
          .database(model, from.size(), 0, from.model().dtype(), chunkSize)
          .processTokens(TokenFile.read(app.streams(), what.tokens))
          .stream()
          .map(TokenChunk::key);
    }
    List<String> texts = Objects.requireNonNull(what.keys);
    if (texts.contains(STDIN)) {
      texts =
          new BufferedReader(new InputStreamReader(app.streams().in(), StandardCharsets.UTF_8))
              .lines()
              .filter(line -> !line.isBlank())
              .toList();
    }
    // All of them first: a bad one means that nothing is written.
    List<ChunkKey> keys = texts.stream().map(ChunkKey::parse).toList();
    for (ChunkKey key : keys) {
      if (!isOf(key, from)) {
        throw CommandException.badInput(
            key + ": not of " + model + " in a world of " + from.size());
      }
    }
    return keys.stream();
  }

  private boolean isOf(ChunkKey key, World from) {
    return !(key instanceof ObjectKey)
        && key.modelName().equals(model)
        && key.worldSize() == from.size();
  }

  private void count(ReshardOutcome outcome, Progress progress) {
    if (outcome instanceof ReshardOutcome.Written done) {
      written++;
      readBytes += done.readBytes();
      writtenBytes += done.writtenBytes();
      progress.step(done.writtenBytes());
    } else if (outcome instanceof ReshardOutcome.Present) {
      present++;
    } else if (outcome instanceof ReshardOutcome.Incomplete missing) {
      incomplete++;
      app.note(
          "lmcache4j: "
              + missing.key()
              + ": missing are the chunks of workers "
              + missing.workers().stream().sorted().toList());
    } else if (outcome instanceof ReshardOutcome.Failed failure) {
      failed++;
      app.note("lmcache4j: " + failure.cause().getMessage());
    }
  }

  private void print() {
    if (json) {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("written", written);
      object.put("present", present);
      object.put("incomplete", incomplete);
      object.put("failed", failed);
      object.put("readBytes", readBytes);
      object.put("writtenBytes", writtenBytes);
      app.out().println(Json.line(object));
      return;
    }
    app.out()
        .println(
            String.format(
                Locale.ROOT,
                "written %d chunks (%s read, %s written), present %d, incomplete %d, failed %d",
                written,
                Figures.bytes(readBytes),
                Figures.bytes(writtenBytes),
                present,
                incomplete,
                failed));
  }
}
