/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.server;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A Redis server of its own, as a child process on a free port of 127.0.0.1, that keeps nothing on
 * disk. It is the {@code redis-server} of the PATH or else the static 7.0.15 inside {@code
 * org.signal:embedded-redis}, for Linux and macOS.
 *
 * <p>It goes when this is closed, when the JVM exits, and when the JVM is killed: a shell beside it
 * waits at the end of a pipe that only the JVM holds open, and then kills it. Only a server that is
 * started to {@linkplain Builder#outliveJvm outlive the JVM} stays, until somebody stops it.
 *
 * <p>{@link #close()} may be called from any thread.
 */
public final class LocalRedis implements AutoCloseable {

  private static final Duration START_LIMIT = Duration.ofSeconds(20);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(5);
  private static final int ATTEMPTS = 5;
  private static final int LOG_LINES = 5;
  private static final String LOOPBACK = "127.0.0.1";

  /**
   * Runs the server; removes its files and kills it when the pipe on standard input ends. The shell
   * is its parent and has not waited for it when it kills, so the process id cannot have become
   * another's.
   */
  private static final String GUARD =
      """
      exec 3<&0
      dir=$1
      shift
      "$@" 3<&- </dev/null &
      server=$!
      { cat <&3 >/dev/null; rm -rf "$dir"; kill -9 "$server"; } 2>/dev/null &
      guard=$!
      wait "$server"
      status=$?
      kill "$guard" 2>/dev/null
      exit "$status"
      """;

  private final Path dir;
  private final Process process;
  private final int port;
  private final @Nullable String password;
  private final @Nullable Path unixSocket;
  private final boolean detached;
  private final ServerInfo info;
  private final @Nullable Thread hook;

  private LocalRedis(Builder builder, Path dir, Process process, int port, ServerInfo info) {
    this.dir = dir;
    this.process = process;
    this.port = port;
    this.password = builder.password;
    this.unixSocket = builder.unixSocket ? socketIn(dir) : null;
    this.detached = builder.outliveJvm;
    this.info = info;
    this.hook = detached ? null : new Thread(this::stop, "lmcache4j-local-redis");
    if (hook != null) {
      Runtime.getRuntime().addShutdownHook(hook);
    }
  }

  /**
   * Starts a server without a password.
   *
   * @return the server, which answers
   * @throws LocalRedisException if there is no server to start, or it does not start
   */
  public static LocalRedis start() {
    return builder().start();
  }

  /**
   * Returns a builder of a server.
   *
   * @return the builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The server's URL, with its password.
   *
   * @return {@code redis://127.0.0.1:PORT}
   */
  public String url() {
    return "redis://" + userInfo() + LOOPBACK + ":" + port;
  }

  /**
   * The URL of the server's unix socket, with its password.
   *
   * @return {@code unix:///…}
   * @throws IllegalStateException if the server was started without one
   */
  public String unixUrl() {
    if (unixSocket == null) {
      throw new IllegalStateException("this server was started without a unix socket");
    }
    return "unix://" + userInfo() + unixSocket;
  }

  private String userInfo() {
    return password == null
        ? ""
        : ":" + URLEncoder.encode(password, StandardCharsets.UTF_8).replace("+", "%20") + "@";
  }

  /**
   * The port on 127.0.0.1.
   *
   * @return the port
   */
  public int port() {
    return port;
  }

  /**
   * The server's own process id.
   *
   * @return the id
   */
  public long pid() {
    return info.processId();
  }

  /**
   * What answers, by its own account.
   *
   * @return e.g. {@code redis 7.0.15}
   */
  public String version() {
    return info.name() + " " + info.version();
  }

  /** Stops the server and removes its files. Idempotent; nothing to do for one that outlives us. */
  @Override
  public void close() {
    if (hook == null) {
      return;
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM exits: the hook does what is done here.
      return;
    }
    stop();
  }

  private void stop() {
    end(process);
    delete(dir);
  }

  /** Closes the pipe, at which the guard kills the server. */
  private static void end(Process process) {
    try {
      process.getOutputStream().close();
      if (!process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private static void delete(Path dir) {
    try (Stream<Path> files = Files.walk(dir)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // A temporary directory is left behind: not worth failing for, and nothing that can be done.
      return;
    }
  }

  private static Path socketIn(Path dir) {
    return dir.resolve("redis.sock");
  }

  /** Returns what is running where, without the password. */
  @Override
  public String toString() {
    return version() + " at " + LOOPBACK + ":" + port + ", process " + pid();
  }

  /** What a server is to be like. Not safe for use by several threads. */
  public static final class Builder {

    private @Nullable String password;
    private boolean unixSocket;
    private boolean outliveJvm;
    private @Nullable Path executable;
    private List<String> arguments = List.of();
    private @Nullable String searchPath = System.getenv("PATH");

    private Builder() {}

    /**
     * Has the server ask for a password.
     *
     * @param password the password of the default user
     * @return this
     */
    public Builder password(String password) {
      this.password = Objects.requireNonNull(password, "password");
      return this;
    }

    /**
     * Has the server listen on a unix socket as well.
     *
     * @return this
     */
    public Builder unixSocket() {
      this.unixSocket = true;
      return this;
    }

    /**
     * Leaves the server running, as a daemon, when this JVM is gone; closing does nothing then.
     *
     * @return this
     */
    public Builder outliveJvm() {
      this.outliveJvm = true;
      return this;
    }

    /**
     * Names the program, a Redis or Valkey server.
     *
     * @param executable the program; by default the PATH's {@code redis-server}, else the embedded
     *     one
     * @return this
     */
    public Builder executable(Path executable) {
      this.executable = Objects.requireNonNull(executable, "executable");
      return this;
    }

    /**
     * Ignores the PATH, so that the embedded server is taken.
     *
     * @return this
     */
    public Builder embedded() {
      this.searchPath = null;
      return this;
    }

    /**
     * Adds arguments of {@code redis-server}, e.g. {@code "--maxmemory", "64mb"}.
     *
     * @param arguments the arguments
     * @return this
     */
    public Builder arguments(String... arguments) {
      this.arguments = List.of(arguments);
      return this;
    }

    /**
     * Starts the server and waits until it answers.
     *
     * @return the server
     * @throws LocalRedisException if there is no server to start, or it does not start
     */
    public LocalRedis start() {
      Path dir = null;
      LocalRedis started = null;
      try {
        dir = Files.createTempDirectory("lmcache4j-redis-");
        Path program = executable != null ? executable : RedisBinary.find(searchPath, dir);
        for (int i = 0; started == null && i < ATTEMPTS; i++) {
          started = attempt(program, dir);
        }
        if (started == null) {
          throw new LocalRedisException(
              "redis-server found its port taken, " + ATTEMPTS + " times in a row");
        }
        return started;
      } catch (IOException e) {
        throw new LocalRedisException("redis-server cannot be started: " + e.getMessage(), e);
      } finally {
        if (dir != null && started == null) {
          delete(dir);
        }
      }
    }

    /** Returns null if somebody took the port in the meantime. */
    private @Nullable LocalRedis attempt(Path program, Path dir) throws IOException {
      int port = freePort();
      Path log = dir.resolve("redis.log");
      Files.deleteIfExists(log);
      Process process = launch(program, dir, port, log);
      boolean ready = false;
      try {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (System.nanoTime() < deadline) {
          // The log is read after the process was seen dead, so that it is complete.
          boolean dead = !process.isAlive() && (!outliveJvm || process.exitValue() != 0);
          String said = Files.exists(log) ? Files.readString(log, StandardCharsets.UTF_8) : "";
          if (said.contains("Address already in use")) {
            return null;
          }
          if (dead) {
            throw new LocalRedisException(
                program + " stopped at once, with status " + process.exitValue() + lastLines(said));
          }
          Optional<ServerInfo> info = ServerInfo.ask(LOOPBACK, port, password);
          // Another server may have got the port first, and it answers as well as ours would.
          if (info.isPresent() && isOurs(info.get(), dir)) {
            ready = true;
            return new LocalRedis(this, dir, process, port, info.get());
          }
          pause();
        }
        throw new LocalRedisException(
            String.format(
                "%s did not answer within %d s%s",
                program, START_LIMIT.toSeconds(), lastLines(Files.readString(log))));
      } finally {
        if (!ready) {
          end(process);
        }
      }
    }

    private Process launch(Path program, Path dir, int port, Path log) throws IOException {
      Path config = Files.writeString(dir.resolve("redis.conf"), config(dir, port, log));
      List<String> command = new ArrayList<>();
      if (!outliveJvm) {
        command.addAll(List.of("/bin/sh", "-c", GUARD, "lmcache4j-guard", dir.toString()));
      }
      command.add(program.toString());
      command.add(config.toString());
      command.addAll(arguments);
      return new ProcessBuilder(command)
          .directory(dir.toFile())
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
          .start();
    }

    /** A file, in a directory that is ours alone: a password on a command line is no secret. */
    private String config(Path dir, int port, Path log) {
      StringBuilder config = new StringBuilder();
      config.append("bind ").append(LOOPBACK).append('\n');
      config.append("port ").append(port).append('\n');
      config.append("save \"\"\nappendonly no\n");
      config.append("dir ").append(quoted(dir.toString())).append('\n');
      config.append("pidfile ").append(quoted(pidFile(dir).toString())).append('\n');
      if (outliveJvm) {
        config.append("daemonize yes\nlogfile ").append(quoted(log.toString())).append('\n');
      }
      if (unixSocket) {
        config.append("unixsocket ").append(quoted(socketIn(dir).toString())).append('\n');
        config.append("unixsocketperm 700\n");
      }
      if (password != null) {
        config.append("requirepass ").append(quoted(password)).append('\n');
      }
      return config.toString();
    }

    private static String quoted(String value) {
      return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }

    private static Path pidFile(Path dir) {
      return dir.resolve("redis.pid");
    }

    private static boolean isOurs(ServerInfo info, Path dir) throws IOException {
      Path file = pidFile(dir);
      return Files.exists(file)
          && Files.readString(file).strip().equals(Long.toString(info.processId()));
    }

    private String lastLines(String log) {
      List<String> lines = log.lines().filter(line -> !line.isBlank()).toList();
      String last =
          String.join("\n  ", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
      return last.isEmpty()
          ? ""
          : ":\n  " + (password == null ? last : last.replace(password, "***"));
    }

    private static int freePort() throws IOException {
      try (ServerSocket socket =
          new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
        return socket.getLocalPort();
      }
    }

    private static void pause() throws IOException {
      try {
        Thread.sleep(10);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      }
    }
  }
}
