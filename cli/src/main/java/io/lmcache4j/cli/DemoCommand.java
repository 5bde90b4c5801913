/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.cli.server.LocalRedis;
import io.lmcache4j.core.LmcacheException;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.redis.ConnectorInfo;
import io.lmcache4j.redis.EntryInfo;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import io.lmcache4j.redis.RedisConnectorOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** A producer stores a prompt, a consumer finds it: the whole of the library in one run. */
@Command(
    name = "demo",
    description = "Stores a prompt with one connector and fetches it with another.",
    footer = {
      "",
      "Without --url it starts a Redis of its own, which goes with it; the variables of LMCache are not"
          + " looked at, so that nothing is written to a cache in use. With --keep a Redis of its own is left"
          + " running, and how to stop it is said.",
      "The exit code is 1 if a chunk was not found or came back different."
    })
final class DemoCommand implements Callable<Integer> {

  /** Should the demo be killed, what it left on a server of others goes by itself. */
  private static final Duration SAFETY_NET = Duration.ofMinutes(10);

  /** What the memory takes beside payloads. */
  private static final long SLACK = 1 << 20;

  @ParentCommand private Lmcache4j app;

  @Option(
      names = "--keep",
      description = "Leave what was written, and the server that was started.")
  private boolean keep;

  @Override
  public Integer call() {
    String url = app.urlOption();
    if (url != null) {
      return run(url, "given by --url");
    }
    if (!keep) {
      try (LocalRedis redis = LocalRedis.start()) {
        return run(redis.url(), "started for this demo");
      }
    }
    return runAndLeave(LocalRedis.builder().outliveJvm().start());
  }

  private int runAndLeave(LocalRedis redis) {
    try {
      return run(redis.url(), "started for this demo");
    } finally {
      print("");
      print("%s is left running; stop it with: kill %d", redis.version(), redis.pid());
    }
  }

  private int run(String url, String origin) {
    long free = FreeMemory.bytes();
    DemoPrompt prompt = DemoPrompt.fitting(free);
    List<ChunkKey> keys = prompt.keys();
    try (HostMemory memory = DirectMemory.create(prompt.bytes() + SLACK);
        RedisConnector producer = connect(url, memory, keep ? null : SAFETY_NET)) {
      printSetting(url, origin, prompt, free, producer.info());
      try {
        return exchange(url, keys, producer, memory);
      } finally {
        if (!keep) {
          remove(keys, producer);
        }
      }
    }
  }

  private void printSetting(
      String url, String origin, DemoPrompt prompt, long free, ConnectorInfo info) {
    print("server     %s at %s, %s", info.server(), Secrets.mask(url), origin);
    print("transport  %s, %s", info.transport(), info.path());
    print("prompt     %,d tokens for %s", prompt.tokens(), DemoPrompt.MODEL);
    print(
        "chunks     %d of %d tokens, %s %s, %s each",
        prompt.chunks(),
        DemoPrompt.CHUNK_TOKENS,
        DemoPrompt.GEOMETRY.chunkShape(),
        DemoPrompt.GEOMETRY.dtype().torchName(),
        Figures.bytes(DemoPrompt.CHUNK_BYTES));
    if (prompt.tokens() < DemoPrompt.FULL.tokens()) {
      print(
          "           sized down from %,d tokens: only %s of memory are free",
          DemoPrompt.FULL.tokens(), Figures.bytes(free));
    }
    print("");
  }

  /** What went wrong before is what is to be reported, and the entries have a time to live. */
  private void remove(List<ChunkKey> keys, RedisConnector producer) {
    try {
      keys.forEach(producer.sync()::remove);
    } catch (LmcacheException e) {
      app.note("lmcache4j: what was written could not be removed: " + e.getMessage());
    }
  }

  private static RedisConnector connect(String url, HostMemory memory, @Nullable Duration ttl) {
    RedisConnectorOptions.Builder options = RedisConnectorOptions.builder(url).memory(memory);
    return RedisConnector.open((ttl == null ? options : options.ttl(ttl)).build());
  }

  private int exchange(
      String url, List<ChunkKey> keys, RedisConnector producer, HostMemory memory) {
    RemoteMetadata metadata = DemoPrompt.metadataWithoutDtypes();
    print(
        "The producer has %d shape and %d dtypes for each chunk, as vLLM handed them over.",
        metadata.groups(), metadata.dtypes().size());
    StrictZip.complaint(metadata)
        .ifPresent(
            complaint -> {
              print("  LMCache would lose every chunk:  %s", complaint);
              print("  here the dtypes are filled up:   %s", dtypes(metadata));
            });

    List<Long> checksums = new ArrayList<>();
    Timing stored = store(keys, metadata, producer, memory, checksums);
    EntryInfo first = producer.sync().inspect(keys.get(0));
    RemoteMetadata written = first.metadata();
    print(
        "  what the server has of chunk 1:  %s",
        written == null
            ? String.join("; ", first.problems())
            : written.shapes().get(0)
                + " "
                + dtypes(written)
                + ", "
                + first.payloadBytes()
                + " bytes");
    print("");

    try (RedisConnector consumer = connect(url, memory, null)) {
      long start = System.nanoTime();
      int hits = consumer.sync().batchedContains(keys);
      long lookupNanos = System.nanoTime() - start;
      Fetched fetched = fetch(keys.subList(0, hits), checksums, consumer);
      print("%-10s %8s %8s %12s %12s %14s", "", "tokens", "chunks", "bytes", "time", "throughput");
      row("stored", keys.size(), stored);
      row("lookup", hits, new Timing(0, lookupNanos));
      row("fetched", fetched.equal, fetched.timing);
      print("");
      print("checksums (CRC32C): %d of %d equal", fetched.equal, keys.size());
      print("");
      print("keys%s:", keep ? "" : " (removed; --keep leaves them)");
      keys.forEach(key -> app.out().println(key));
      if (keep) {
        print("");
        print("to look:  lmcache4j inspect --url %s '%s'", Secrets.mask(url), keys.get(0));
      }
      return fetched.equal == keys.size() ? ExitCode.OK : ExitCode.ABSENT;
    }
  }

  private Timing store(
      List<ChunkKey> keys,
      RemoteMetadata metadata,
      RedisConnector producer,
      HostMemory memory,
      List<Long> checksums) {
    List<KvChunk> chunks = new ArrayList<>();
    try (Progress progress = app.progress("storing", bytes(keys))) {
      for (ChunkKey key : keys) {
        ChunkBuffer payload = memory.tryLease(DemoPrompt.CHUNK_BYTES);
        if (payload == null) {
          throw CommandException.failed("no direct memory for chunk " + (chunks.size() + 1));
        }
        chunks.add(new KvChunk(key, metadata, payload));
        DemoPrompt.fill(chunks.size() - 1, payload);
        checksums.add(DemoPrompt.checksum(payload));
      }
      long start = System.nanoTime();
      List<CompletableFuture<PutOutcome>> puts =
          chunks.stream().map(chunk -> counted(producer.put(chunk), progress)).toList();
      for (CompletableFuture<PutOutcome> put : puts) {
        if (put.join() instanceof PutOutcome.Failed failed) {
          throw failed.cause();
        }
      }
      return new Timing(bytes(keys), System.nanoTime() - start);
    } finally {
      chunks.forEach(KvChunk::close);
    }
  }

  /** The same outcome, which moves the bar by a chunk when it is there. */
  private static <T> CompletableFuture<T> counted(CompletionStage<T> outcome, Progress progress) {
    return outcome
        .thenApply(
            known -> {
              progress.step(DemoPrompt.CHUNK_BYTES);
              return known;
            })
        .toCompletableFuture();
  }

  private Fetched fetch(List<ChunkKey> keys, List<Long> checksums, RedisConnector consumer) {
    try (Progress progress = app.progress("fetching", bytes(keys))) {
      long start = System.nanoTime();
      List<CompletableFuture<GetOutcome>> gets =
          keys.stream().map(key -> counted(consumer.get(key), progress)).toList();
      List<GetOutcome> outcomes = gets.stream().map(CompletableFuture::join).toList();
      Timing timing = new Timing(bytes(keys), System.nanoTime() - start);
      int equal = 0;
      for (int i = 0; i < keys.size(); i++) {
        if (outcomes.get(i) instanceof GetOutcome.Hit hit) {
          try (KvChunk chunk = hit.chunk()) {
            equal += DemoPrompt.checksum(chunk.payload()) == checksums.get(i) ? 1 : 0;
          }
        } else {
          app.note("lmcache4j: " + outcomes.get(i));
        }
      }
      return new Fetched(equal, timing);
    }
  }

  private static long bytes(List<ChunkKey> keys) {
    return (long) keys.size() * DemoPrompt.CHUNK_BYTES;
  }

  private static String dtypes(RemoteMetadata metadata) {
    return metadata.effectiveDtypes().stream().map(d -> d.torchName()).toList().toString();
  }

  private void row(String what, int chunks, Timing timing) {
    print(
        "%-10s %,8d %8d %12s %12s %14s",
        what,
        chunks * DemoPrompt.CHUNK_TOKENS,
        chunks,
        timing.bytes == 0 ? "" : Figures.bytes(timing.bytes),
        Figures.time(timing.nanos),
        timing.bytes == 0 ? "" : Figures.throughput(timing.bytes, timing.nanos));
  }

  private void print(String format, Object... args) {
    app.out().println(String.format(Locale.ROOT, format, args));
    app.out().flush();
  }

  private record Timing(long bytes, long nanos) {}

  private record Fetched(int equal, Timing timing) {}
}
