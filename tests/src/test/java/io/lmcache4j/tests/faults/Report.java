/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.faults;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestWatcher;
import org.slf4j.LoggerFactory;

/**
 * What this run saw. It is written to {@code target/faults.md}, and a long run in which every test
 * passed puts it between the two marks in {@code docs/RELIABILITY.md}.
 */
final class Report implements AutoCloseable {

  private static final String BEGIN = "<!-- written by -Pfaults: begin -->\n";
  private static final String END = "<!-- written by -Pfaults: end -->\n";

  /** What is told beside the table. */
  enum Topic {
    /** Nobody listens when the connector is opened. */
    ABSENT("Server absent when the connector is opened"),
    EVICTION("Eviction"),
    TWO_WRITERS("Two writers of one key"),
    CLUSTER_FROZEN("Cluster: a frozen master"),
    CLUSTER_FAILOVER("Cluster: a killed master that has a replica");

    private final String title;

    Topic(String title) {
      this.title = title;
    }
  }

  private final Map<Fault, List<String>> rows = new TreeMap<>();
  private final Map<Topic, List<String>> notes = new TreeMap<>();
  private String server = "";
  private boolean failed;

  synchronized void ranOn(String version) {
    server = version;
  }

  /** Adds a row of the table, and prints it. */
  synchronized void add(Fault fault, Form form, Caller caller, Duration recovered) {
    Tally tally = caller.tally();
    String row =
        String.format(
            Locale.ROOT,
            "| %s%s | %s | %s | %d ms | %d ms | %d | %d | %d |",
            fault.title,
            held(fault, form),
            caller.name(),
            tally.outcomes(),
            tally.longest().toMillis(),
            recovered.toMillis(),
            tally.wrongBytes(),
            caller.memory().leases(),
            caller.connector().inFlightBytes());
    rows.computeIfAbsent(fault, f -> new ArrayList<>()).add(row);
    System.out.println("[faults] " + row);
  }

  private static String held(Fault fault, Form form) {
    Duration duration = fault.duration(form);
    return duration.isZero() ? "" : ", " + duration.toMillis() / 1000.0 + " s";
  }

  /** Adds a line about a topic, and prints it. */
  synchronized void note(Topic topic, String line) {
    notes.computeIfAbsent(topic, t -> new ArrayList<>()).add(line);
    System.out.println("[faults] " + topic.title + ": " + line);
  }

  private String text() {
    StringBuilder out = new StringBuilder();
    out.append("Run on ").append(server).append(", ");
    out.append(System.getProperty("os.name")).append(", ");
    out.append(Runtime.getRuntime().availableProcessors()).append(" CPUs, Java ");
    out.append(Runtime.version().feature()).append(".\n\n");
    out.append(
        """
        | fault | path | what callers saw | longest wait for an outcome | end of the fault to the first put and \
        get that succeed | wrong bytes | leases left | bytes left in flight |
        |---|---|---|--:|--:|--:|--:|--:|
        """);
    rows.values().forEach(lines -> lines.forEach(line -> out.append(line).append('\n')));
    notes.forEach(
        (topic, lines) -> {
          out.append("\n**").append(topic.title).append(".**\n\n");
          lines.forEach(line -> out.append("- ").append(line).append('\n'));
        });
    return out.toString();
  }

  private boolean isComplete() {
    return rows.keySet().containsAll(List.of(Fault.values()))
        && notes.keySet().containsAll(List.of(Topic.values()));
  }

  @Override
  public synchronized void close() {
    try {
      String text = text();
      Files.writeString(Files.createDirectories(Path.of("target")).resolve("faults.md"), text);
      if (Form.ofThisRun() == Form.LONG) {
        writeDocument(text);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void writeDocument(String text) throws IOException {
    if (failed || !isComplete()) {
      System.out.println("[faults] docs/RELIABILITY.md is left alone: not everything passed");
      return;
    }
    Path document = Path.of("..", "docs", "RELIABILITY.md");
    String before = Files.readString(document);
    int begin = before.indexOf(BEGIN) + BEGIN.length();
    int end = before.indexOf(END);
    if (begin < BEGIN.length() || end < begin) {
      throw new IllegalStateException(document + " has lost its marks");
    }
    Files.writeString(document, before.substring(0, begin) + text + before.substring(end));
    System.out.println("[faults] docs/RELIABILITY.md is written: commit it");
  }

  /** Gives tests the one report of the run, and tells it of those that fail. */
  static final class Extension
      implements BeforeAllCallback, AfterAllCallback, ParameterResolver, TestWatcher {

    /** Faults are what is tested here: that each is logged at length need not be read. */
    private static final List<String> TALKATIVE =
        List.of("io.lettuce.core", "redis.clients.jedis", "io.lmcache4j.redis.ServerNode");

    @Override
    public void beforeAll(ExtensionContext context) {
      level(Level.ERROR);
    }

    @Override
    public void afterAll(ExtensionContext context) {
      level(null);
    }

    private static void level(@Nullable Level level) {
      for (String name : TALKATIVE) {
        ((Logger) LoggerFactory.getLogger(name)).setLevel(level);
      }
    }

    private static Report report(ExtensionContext context) {
      return context
          .getRoot()
          .getStore(ExtensionContext.Namespace.create(Report.class))
          .computeIfAbsent(Report.class, type -> new Report(), Report.class);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
      return parameter.getParameter().getType() == Report.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
      return report(context);
    }

    @Override
    public void testFailed(ExtensionContext context, @Nullable Throwable cause) {
      Report report = report(context);
      synchronized (report) {
        report.failed = true;
      }
    }
  }
}
