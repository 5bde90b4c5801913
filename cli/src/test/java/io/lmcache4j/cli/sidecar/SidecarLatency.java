/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.sidecar;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/**
 * What the sidecar adds to a request, against a client that asks the same fakes of vLLM itself,
 * first prefill and then decode. Its name keeps it out of every build: it runs by {@code
 * -Dtest=SidecarLatency} alone. docs/DEPLOY.md has the command and what came of it.
 */
final class SidecarLatency {

  private static final int WARM_UP = 100;
  private static final int ROUNDS = 200;
  private static final int HALF = 50;
  private static final double NANOS_PER_MILLI = 1e6;

  /** Twelve chunks. */
  private static final String TEXT = "a prompt of one hundred bytes ".repeat(4).substring(0, 100);

  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private interface Asking {
    void ask() throws IOException, InterruptedException;
  }

  @Test
  void table() throws Exception {
    System.out.println(
        "| prefill → decode | asked directly | by the sidecar | it adds | of a new prompt |");
    System.out.println("|---|---|---|---|---|");
    for (int[] worlds : new int[][] {{1, 1}, {2, 2}, {2, 4}, {4, 1}}) {
      measure(worlds[0], worlds[1]);
    }
  }

  private static void measure(int from, int to) throws Exception {
    try (Deployment deployment = new Deployment(from, to)) {
      deployment.producer.storeDelayMillis = 0;
      String same = body(TEXT);
      // Stored and resharded, so that what is left is asking: of vLLM and of Redis.
      post(deployment.url(""), same);
      double[] direct = new double[ROUNDS];
      double[] through = new double[ROUNDS];
      double[] added = new double[ROUNDS];
      double[] fresh = new double[ROUNDS];
      for (int round = -WARM_UP; round < ROUNDS; round++) {
        int at = Math.max(0, round);
        String other = body(String.format("%05d", round + WARM_UP) + TEXT);
        deployment.producer.stores = false;
        // One behind the other, so that whatever else the machine does is about the same for both.
        direct[at] =
            millis(
                () -> {
                  post(deployment.producer.url(), same);
                  post(deployment.consumer.url(), same);
                });
        through[at] = millis(() -> post(deployment.url(""), same));
        added[at] = through[at] - direct[at];
        deployment.producer.stores = true;
        fresh[at] = millis(() -> post(deployment.url(""), other));
      }
      System.out.printf(
          Locale.ROOT,
          "| %d → %d | %.1f / %.1f ms | %.1f / %.1f ms | %.1f ms | %.1f / %.1f ms |%n",
          from,
          to,
          at(direct, 0),
          at(direct, HALF),
          at(through, 0),
          at(through, HALF),
          at(added, HALF),
          at(fresh, 0),
          at(fresh, HALF));
      if (deployment.count("lmcache.sidecar.handover", "result", "incomplete") > 0) {
        throw new IllegalStateException("chunks were missing");
      }
    }
  }

  private static String body(String text) {
    return "{\"prompt\":\"" + text + "\",\"max_tokens\":1}";
  }

  private static void post(URI base, String body) throws IOException, InterruptedException {
    HttpResponse<String> answer =
        CLIENT.send(
            HttpRequest.newBuilder(URI.create(base + "/v1/completions"))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(answer.statusCode() + ": " + answer.body());
    }
  }

  private static double millis(Asking asking) throws IOException, InterruptedException {
    long start = System.nanoTime();
    asking.ask();
    return (System.nanoTime() - start) / NANOS_PER_MILLI;
  }

  private static double at(double[] values, int percentile) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length * percentile / 100];
  }
}
