/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.key.ChunkKey;
import io.lmcache4j.redis.GetOutcome;
import io.lmcache4j.redis.KvChunk;
import io.lmcache4j.redis.RedisConnector;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Fetches a payload. */
@Command(
    name = "get",
    description = "Fetches the payload of a chunk.",
    footer = {
      "",
      "FILE appears only when the payload is complete. A chunk whose payload is gone loses its metadata"
          + " as well, as in LMCache."
    })
final class GetCommand implements Callable<Integer> {

  private static final String STDOUT = "-";

  @ParentCommand private Lmcache4j app;

  @Parameters(paramLabel = "KEY", description = "MODEL@WORLD_SIZE@WORKER_ID@HASH@DTYPE[@LAYER]…")
  private String key;

  @Option(
      names = "--out",
      paramLabel = "FILE|-",
      required = true,
      description = "Where the payload goes; - is standard output.")
  private String out;

  @Override
  public Integer call() {
    ChunkKey chunkKey = ChunkKey.parse(key);
    if (!out.equals(STDOUT)) {
      PayloadFile.checkWritable(Path.of(out));
    }
    try (RedisConnector connector = app.connect(o -> o.memoryCapacity(PayloadFile.MAX_BYTES + 1))) {
      return receive(connector.sync().get(chunkKey));
    }
  }

  private int receive(GetOutcome outcome) {
    if (outcome instanceof GetOutcome.Hit hit) {
      try (KvChunk chunk = hit.chunk()) {
        write(chunk.payload().nio());
      }
      return ExitCode.OK;
    }
    if (outcome instanceof GetOutcome.Failed failed) {
      throw failed.cause();
    }
    if (outcome instanceof GetOutcome.NoMemory noMemory) {
      throw CommandException.failed(key + ": no memory for its " + noMemory.bytes() + " bytes");
    }
    if (outcome instanceof GetOutcome.Corrupt corrupt) {
      throw CommandException.absent(key + ": corrupt, " + corrupt.reason());
    }
    if (outcome instanceof GetOutcome.Orphan) {
      throw CommandException.absent(
          key + ": its payload was gone, so its metadata was removed as well");
    }
    throw CommandException.absent(key + ": absent");
  }

  private void write(ByteBuffer payload) {
    int length = payload.remaining();
    try (Progress progress = app.progress("writing", length)) {
      if (out.equals(STDOUT)) {
        PayloadFile.write(app.streams(), payload, progress);
      } else {
        PayloadFile.write(Path.of(out), payload, progress);
      }
    }
    app.note("fetched " + length + " bytes");
  }
}
