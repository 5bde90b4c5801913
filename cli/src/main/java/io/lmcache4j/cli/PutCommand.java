/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.DType;
import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.DirectMemory;
import io.lmcache4j.core.memory.HostMemory;
import io.lmcache4j.core.metadata.MemoryFormat;
import io.lmcache4j.core.metadata.RemoteMetadata;
import io.lmcache4j.core.metadata.RemoteMetadataCodec;
import io.lmcache4j.core.metadata.Shape;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.PutOutcome;
import io.lmcache4j.redis.RedisConnector;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Stores a file. */
@Command(
    name = "put",
    description = "Stores a file as a chunk, as LMCache would.",
    footer = {
      "",
      "Shapes and dtypes must make the length of the file. As with a vLLM that names too few dtypes,"
          + " those that are missing are the first one, or bfloat16 if there is none."
    })
final class PutCommand implements Callable<Integer> {

  @ParentCommand private Lmcache4j app;

  @Parameters(paramLabel = "KEY", description = "MODEL@WORLD_SIZE@WORKER_ID@HASH@DTYPE[@LAYER]…")
  private String key;

  @Option(
      names = "--in",
      paramLabel = "FILE",
      required = true,
      description = "The payload: row-major, little-endian; at most 2 GiB - 1.")
  private Path in;

  @Option(
      names = "--shape",
      paramLabel = "N,N,…",
      converter = Converters.ToShape.class,
      description = {
        "The shape of a group, 1 to 4 numbers; once for each group, in order.",
        "May be left out for the formats BINARY and BINARY_BUFFER."
      })
  private List<Shape> shapes = List.of();

  @Option(
      names = "--dtype",
      paramLabel = "DTYPE",
      converter = Converters.ToDType.class,
      description =
          "The dtype of a group: bfloat16, float16, float8_e4m3fn, … or half, fp8_e4m3fn, …")
  private List<DType> dtypes = List.of();

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "KV_2LTD",
      converter = Converters.ToMemoryFormat.class,
      description =
          "KV_2LTD (default), KV_T2D, KV_2TD, KV_MLA_FMT, BINARY, BINARY_BUFFER, EC_TD, HS_TD.")
  private MemoryFormat format;

  @Option(
      names = "--ttl",
      paramLabel = "TIME",
      converter = Converters.ToDuration.class,
      description = "How long the chunk lives: 1h, 30m, 90s, 500ms. Default: for ever.")
  private @Nullable Duration ttl;

  @Override
  public Integer call() {
    ChunkKey chunkKey = ChunkKey.parse(key);
    int length = PayloadFile.length(in);
    RemoteMetadata metadata = metadata(length);
    RemoteMetadataCodec.current().validate(key, metadata);
    try (HostMemory memory = DirectMemory.create(Math.max(length, 1L) + HostMemory.ALIGNMENT);
        ChunkBuffer payload = read(length, memory)) {
      return store(new KvChunk(chunkKey, metadata, payload));
    }
  }

  private RemoteMetadata metadata(int length) {
    if (shapes.isEmpty() && !format.isBinary()) {
      throw CommandException.badInput("--shape is needed for the format " + format);
    }
    if (!shapes.isEmpty()) {
      return new RemoteMetadata(length, format, shapes, dtypes);
    }
    // What LMCache writes for a buffer of bytes: its length, and no dtype.
    List<DType> none = dtypes.isEmpty() ? List.of(DType.NONE) : dtypes;
    return new RemoteMetadata(length, format, List.of(Shape.of(length)), none);
  }

  private ChunkBuffer read(int length, HostMemory memory) {
    try (Progress progress = app.progress("reading", length)) {
      return PayloadFile.read(in, length, memory, progress);
    }
  }

  private int store(KvChunk chunk) {
    PutOutcome outcome;
    try (RedisConnector connector = app.connect(o -> ttl == null ? o : o.ttl(ttl))) {
      outcome = connector.sync().put(chunk);
    }
    if (outcome instanceof PutOutcome.Failed failed) {
      throw failed.cause();
    }
    app.note("stored " + chunk.metadata().length() + " bytes");
    return ExitCode.OK;
  }
}
