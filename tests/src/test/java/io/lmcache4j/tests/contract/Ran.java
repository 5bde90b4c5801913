/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.DynamicTestInvocationContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;

/**
 * Counts what ran of the contract, and how it ended. When all is done the sums are printed, and the
 * table is kept in {@code target/contract-servers.txt}: fields divided by tabs, the first line
 * names them, and what was left out says why in the last.
 */
final class Ran implements AfterEachCallback, InvocationInterceptor {

  private static final Path FILE = Path.of("target", "contract-servers.txt");
  private static final String HEADER = "server\ttopology\tlayout\tpath\ttests\tfailed\tleft out";

  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(Ran.class);

  private static final Map<String, Counts> ROWS = new ConcurrentSkipListMap<>();
  private static final List<String> LEFT_OUT = new ArrayList<>();

  private static final class Counts {

    private final AtomicInteger tests = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
  }

  /** What cannot run here, and why. */
  static void leftOut(String server, String topology, String reason) {
    System.out.println("[contract] not run: " + server + ", " + topology + " (" + reason + ")");
    LEFT_OUT.add(String.join("\t", server, topology, "", "", "0", "0", reason));
  }

  @Override
  public void afterEach(ExtensionContext context) {
    // What a factory makes is counted one by one below.
    Method method = context.getRequiredTestMethod();
    boolean failed = context.getExecutionException().isPresent();
    if (failed || !method.isAnnotationPresent(TestFactory.class)) {
      count(context, failed);
    }
  }

  @Override
  public void interceptDynamicTest(
      Invocation<Void> invocation, DynamicTestInvocationContext dynamic, ExtensionContext context)
      throws Throwable {
    boolean failed = true;
    try {
      invocation.proceed();
      failed = false;
    } finally {
      count(context, failed);
    }
  }

  private static void count(ExtensionContext context, boolean failed) {
    context.getRoot().getStore(NAMESPACE).computeIfAbsent("table", key -> new Table());
    Variant variant = variant(context);
    String row =
        String.join(
            "\t",
            variant.server().name(),
            variant.server().topology().toString(),
            variant.layout().toString(),
            variant.pathText());
    Counts counts = ROWS.computeIfAbsent(row, key -> new Counts());
    counts.tests.incrementAndGet();
    if (failed) {
      counts.failed.incrementAndGet();
    }
  }

  /** The context of a dynamic test has no instance; its factory's has. */
  private static Variant variant(ExtensionContext context) {
    ExtensionContext at = context;
    while (at.getTestInstance().isEmpty()) {
      at = at.getParent().orElseThrow();
    }
    return ((Contract) at.getRequiredTestInstance()).variant;
  }

  /** Written when JUnit closes what it keeps, at the end. */
  private static final class Table implements AutoCloseable {

    @Override
    public void close() {
      List<String> lines = new ArrayList<>();
      lines.add(HEADER);
      Map<String, int[]> sums = new TreeMap<>();
      ROWS.forEach(
          (row, counts) -> {
            lines.add(row + "\t" + counts.tests + "\t" + counts.failed + "\t");
            String[] fields = row.split("\t", -1);
            int[] sum = sums.computeIfAbsent(fields[0] + ", " + fields[1], key -> new int[2]);
            sum[0] += counts.tests.get();
            sum[1] += counts.failed.get();
          });
      lines.addAll(LEFT_OUT);
      try {
        Files.createDirectories(FILE.getParent());
        Files.write(FILE, lines);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      sums.forEach(
          (where, both) ->
              System.out.println(
                  "[contract] " + where + ": " + both[0] + " tests, " + both[1] + " failed"));
    }
  }
}
