/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import io.lmcache4j.core.memory.ChunkBuffer;
import io.lmcache4j.core.memory.HostMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** Payloads between files and leased memory, in pieces, so that a bar can move. */
final class PayloadFile {

  /** LMCache's header counts in an int32. */
  static final long MAX_BYTES = Integer.MAX_VALUE;

  private static final int PIECE = 4 << 20;

  private PayloadFile() {}

  /** Returns the length of a file that can be a payload. */
  static int length(Path file) {
    try {
      if (!Files.exists(file)) {
        throw CommandException.badInput(file + ": there is no such file");
      }
      if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
        throw CommandException.badInput(file + ": not a file that can be read");
      }
      long length = Files.size(file);
      if (length > MAX_BYTES) {
        throw CommandException.badInput(
            file + ": has " + length + " bytes, and a chunk at most " + MAX_BYTES);
      }
      return (int) length;
    } catch (IOException e) {
      throw CommandException.badInput(file + ": cannot be read (" + e.getMessage() + ")");
    }
  }

  /** Reads {@code length} bytes into a lease, which the caller releases. */
  static ChunkBuffer read(Path file, int length, HostMemory memory, Progress progress) {
    ChunkBuffer lease = memory.tryLease(length);
    if (lease == null) {
      throw CommandException.failed("no memory for " + length + " bytes of " + file);
    }
    boolean complete = false;
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer bytes = lease.nio();
      while (bytes.hasRemaining()) {
        bytes.limit(Math.min(length, bytes.position() + PIECE));
        int read = channel.read(bytes);
        bytes.limit(length);
        if (read < 0) {
          break;
        }
        progress.step(read);
      }
      if (bytes.hasRemaining() || channel.size() != length) {
        throw CommandException.badInput(file + ": changed while it was read");
      }
      complete = true;
      return lease;
    } catch (IOException e) {
      throw CommandException.badInput(file + ": cannot be read (" + e.getMessage() + ")");
    } finally {
      if (!complete) {
        lease.release();
      }
    }
  }

  /** Makes sure that a payload could be written there, before it is fetched. */
  static void checkWritable(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    boolean ok =
        Files.exists(file)
            ? !Files.isDirectory(file) && Files.isWritable(file)
            : !file.toString().isEmpty() && parent != null && Files.isWritable(parent);
    if (!ok) {
      throw CommandException.badInput(file + ": cannot be written");
    }
  }

  /**
   * Writes a payload to a file that appears, or is replaced, only when it is complete. A device or
   * a pipe is written to as it is.
   */
  static void write(Path file, ByteBuffer bytes, Progress progress) {
    Path temporary = null;
    try {
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          write(channel, bytes, progress);
        }
        return;
      }
      // A link stays, and what it leads to is replaced.
      Path target = Files.exists(file) ? file.toRealPath() : file;
      String name = "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".part";
      temporary = target.resolveSibling(name);
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        write(channel, bytes, progress);
      }
      move(temporary, target);
      temporary = null;
    } catch (IOException e) {
      throw CommandException.badInput(file + ": cannot be written (" + e + ")");
    } finally {
      deleteQuietly(temporary);
    }
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static void deleteQuietly(@Nullable Path file) {
    if (file != null) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        // The failure before this one is the one to report.
        return;
      }
    }
  }

  /** Writes a payload to standard output. */
  static void write(Streams streams, ByteBuffer bytes, Progress progress) {
    try (WritableByteChannel channel = Channels.newChannel(new NotClosed(streams.out()))) {
      write(channel, bytes, progress);
    } catch (IOException e) {
      throw CommandException.badInput("standard output: cannot be written (" + e + ")");
    }
    if (streams.out().checkError()) {
      throw CommandException.badInput("standard output: cannot be written");
    }
  }

  private static void write(WritableByteChannel channel, ByteBuffer bytes, Progress progress)
      throws IOException {
    int end = bytes.limit();
    while (bytes.position() < end) {
      bytes.limit(Math.min(end, bytes.position() + PIECE));
      progress.step(channel.write(bytes));
    }
  }

  /** Standard output stays open for whatever else is said. */
  private static final class NotClosed extends java.io.FilterOutputStream {

    NotClosed(java.io.OutputStream out) {
      super(out);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      flush();
    }
  }
}
