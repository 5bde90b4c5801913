/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Real LMCache in a process of its own ({@code tests/python/peer.py}; {@code PROTOCOL.md} lists the
 * calls): one line of JSON each way.
 *
 * <p>Every call has a limit of its own, because some of LMCache's calls have none and never return.
 * A peer that kept a call waiting is good for nothing and is killed. For one thread.
 */
public final class PythonPeer implements AutoCloseable {

  private static final Duration START_LIMIT = Duration.ofMinutes(3);
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final int LAST_WORDS = 40;
  private static final String END = "";

  private final Process process;
  private final Writer requests;
  private final BlockingQueue<String> replies = new LinkedBlockingQueue<>();
  private final Deque<String> errors = new ArrayDeque<>();
  private final Thread hook;
  private final JsonNode info;
  private final Set<String> sessions = new HashSet<>();
  private long calls;

  /**
   * Starts a peer and waits until it answers.
   *
   * @param environment where Python is
   * @param hashSeed its PYTHONHASHSEED
   * @param release an older release of LMCache, or null for the one that is installed
   * @throws PeerException if it does not start, in particular if that release was not unpacked
   */
  PythonPeer(PythonEnvironment environment, String hashSeed, @Nullable String release) {
    List<String> command = new ArrayList<>();
    command.add(environment.python().toString());
    command.add(environment.peer().toString());
    if (release != null) {
      command.addAll(List.of("--lmcache-version", release));
    }
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("PYTHONHASHSEED", hashSeed);
    builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    hook = new Thread(process::destroyForcibly, "kill-peer");
    Runtime.getRuntime().addShutdownHook(hook);
    requests = process.outputWriter(StandardCharsets.UTF_8);
    read(process.inputReader(StandardCharsets.UTF_8), replies, "peer-replies");
    read(process.errorReader(StandardCharsets.UTF_8), null, "peer-errors");
    info = require(callWithin(START_LIMIT, "info"), "info");
  }

  private void read(BufferedReader lines, @Nullable Collection<String> into, String name) {
    Thread reader =
        new Thread(
            () -> {
              try (lines) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                  if (into != null) {
                    into.add(line);
                  } else {
                    remember(line);
                  }
                }
              } catch (IOException e) {
                remember("(" + name + ": " + e + ")");
              }
              if (into != null) {
                into.add(END);
              }
            },
            name);
    reader.setDaemon(true);
    reader.start();
  }

  private void remember(String error) {
    synchronized (errors) {
      errors.add(error);
      if (errors.size() > LAST_WORDS) {
        errors.remove();
      }
    }
  }

  private String lastWords() {
    synchronized (errors) {
      return errors.isEmpty() ? "" : "\n  " + String.join("\n  ", errors);
    }
  }

  /** What the peer said of itself when it started. */
  public JsonNode info() {
    return info;
  }

  /** Notes the name of a session and tells whether there was none of that name yet. */
  boolean isNew(String session) {
    return sessions.add(session);
  }

  /**
   * Calls and returns the reply, which must be ok.
   *
   * @param op the call
   * @param namesAndValues its arguments in turn
   */
  public JsonNode call(String op, @Nullable Object... namesAndValues) {
    return require(callWithin(LIMIT, op, namesAndValues), op);
  }

  /** Calls and returns the reply, whatever it is. */
  public JsonNode raw(String op, @Nullable Object... namesAndValues) {
    return callWithin(LIMIT, op, namesAndValues);
  }

  /** Calls with arguments that are JSON already, and returns the reply, whatever it is. */
  public JsonNode raw(ObjectNode request) {
    send(request);
    return receive(LIMIT, request.path("op").asText());
  }

  /** Makes many calls at once and returns their replies, whatever they are. */
  public List<JsonNode> batch(List<? extends JsonNode> calls) {
    List<JsonNode> results = new ArrayList<>(calls.size());
    call("batch", "requests", calls).get("results").forEach(results::add);
    if (results.size() != calls.size()) {
      throw new PeerException(calls.size() + " calls, " + results.size() + " replies");
    }
    return results;
  }

  /**
   * Calls and tells whether the answer fails to come. If so, the peer is killed.
   *
   * @param limit how long to wait
   */
  public boolean isSilent(Duration limit, String op, @Nullable Object... namesAndValues) {
    send(Json.put(Json.object("op", op), namesAndValues));
    String reply = poll(limit);
    if (reply == null) {
      kill();
    }
    return reply == null;
  }

  private JsonNode callWithin(Duration limit, String op, @Nullable Object... namesAndValues) {
    send(Json.put(Json.object("op", op), namesAndValues));
    return receive(limit, op);
  }

  private static JsonNode require(JsonNode reply, String op) {
    if (!reply.path("ok").asBoolean()) {
      throw new PeerException(op + ": " + reply);
    }
    return reply;
  }

  private void send(ObjectNode request) {
    request.put("id", ++calls);
    try {
      requests.write(Json.line(request));
      requests.write('\n');
      requests.flush();
    } catch (IOException e) {
      throw new PeerException("the peer is gone (" + e.getMessage() + ")" + exit() + lastWords());
    }
  }

  private JsonNode receive(Duration limit, String op) {
    String line = poll(limit);
    if (line == null) {
      kill();
      throw new PeerException(op + ": no answer within " + limit.toSeconds() + " s" + lastWords());
    }
    if (line.equals(END)) {
      throw new PeerException(op + ": the peer has ended" + exit() + lastWords());
    }
    JsonNode reply = Json.parse(line);
    if (reply.path("id").asLong() != calls) {
      throw new PeerException(op + ": not the reply of this call: " + line);
    }
    return reply;
  }

  private @Nullable String poll(Duration limit) {
    try {
      return replies.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      kill();
      throw new PeerException("interrupted");
    }
  }

  private String exit() {
    try {
      return process.waitFor(5, TimeUnit.SECONDS) ? ", status " + process.exitValue() : "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }

  private void kill() {
    process.destroyForcibly();
  }

  /** Kills the process: LMCache's own close may never return. */
  @Override
  public void close() {
    kill();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM exits, and the hook does what was done here.
      return;
    }
  }
}
